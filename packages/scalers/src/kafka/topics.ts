import { SourceError } from '../contract/errors.ts';
import type { Broker, BrokerAddress } from './broker.ts';
import type { Brokers } from './brokers.ts';
import { codeError, kafkaCodes } from './errors.ts';

/** New partitions are seen after this long at the latest; moved leaders at once, by the broker's refusal. */
const topicAgeMs = 5000;

const metadataApi = 3;

interface Topic {
  readonly atMs: number;
  /** Node that leads each partition; −1: none. */
  readonly leaders: ReadonlyMap<number, number>;
}

/** Which partitions topics have and which brokers lead them, as the cluster last said. Never makes a topic. */
export class Topics {
  readonly #brokers: Brokers;
  readonly #nowMs: () => number;
  readonly #topics = new Map<string, Topic>();
  #nodes: ReadonlyMap<number, BrokerAddress> = new Map();

  constructor(brokers: Brokers, nowMs: () => number) {
    this.#brokers = brokers;
    this.#nowMs = nowMs;
  }

  /** Partitions of each topic, or why they are not known. Rejects with `SourceError` when no broker answers. */
  async partitions(names: ReadonlySet<string>): Promise<Map<string, readonly number[] | SourceError>> {
    const faults = new Map<string, SourceError>();
    const asked = [...names].filter((name) => !this.#isFresh(name));
    if (asked.length > 0) await this.#ask(asked, faults);
    return new Map(
      [...names].map((name) => {
        const topic = this.#topics.get(name);
        const fault = faults.get(name);
        return [name, fault ?? (topic ? [...topic.leaders.keys()] : this.#missing(name))];
      }),
    );
  }

  /** Null: the partition has no leader at present. */
  leader(topic: string, partition: number): BrokerAddress | null {
    const node = this.#topics.get(topic)?.leaders.get(partition);
    return (node === undefined ? undefined : this.#nodes.get(node)) ?? null;
  }

  /** Asks anew next time. */
  forget(name: string): void {
    this.#topics.delete(name);
  }

  async #ask(names: readonly string[], faults: Map<string, SourceError>): Promise<void> {
    const broker = await this.#brokers.any();
    const { brokers, topics } = await broker.answer(this.#request(broker, names));
    this.#nodes = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const atMs = this.#nowMs();
    for (const { name, errorCode, partitions } of topics) {
      if (name === null) continue;
      if (errorCode === kafkaCodes.none) {
        const leaders = partitions
          .map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId] as const)
          .sort(([a], [b]) => a - b);
        this.#topics.set(name, { atMs, leaders: new Map(leaders) });
      } else {
        this.#topics.delete(name);
        faults.set(
          name,
          errorCode === kafkaCodes.unknownTopicOrPartition ? this.#missing(name) : this.#fault(errorCode, name),
        );
      }
    }
  }

  #request(broker: Broker, names: readonly string[]) {
    const { client, connection } = broker;
    if (broker.speaks(metadataApi, 9)) return client.metadataV9.api.async(connection, [...names], false, false);
    // The first version that does not make a topic by asking for it.
    if (broker.speaks(metadataApi, 4)) return client.metadataV4.api.async(connection, [...names], false, false);
    throw codeError(kafkaCodes.unsupportedVersion, broker.where, '');
  }

  #isFresh(name: string): boolean {
    const topic = this.#topics.get(name);
    return (
      topic !== undefined &&
      this.#nowMs() - topic.atMs < topicAgeMs &&
      [...topic.leaders.values()].every((id) => id >= 0)
    );
  }

  #fault(code: number, name: string): SourceError {
    return codeError(code, this.#brokers.where, `topic ${name}`);
  }

  /** Asking again would not make it exist. */
  #missing(name: string): SourceError {
    const { code, message } = this.#fault(kafkaCodes.unknownTopicOrPartition, name);
    return new SourceError(code, message);
  }
}
