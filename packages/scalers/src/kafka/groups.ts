import type { SourceError } from '../contract/errors.ts';
import { addressText, type Broker, type BrokerAddress } from './broker.ts';
import type { Brokers } from './brokers.ts';
import { codeError, kafkaCodes, kafkaError } from './errors.ts';

const offsetFetchApi = 9;
const findCoordinatorApi = 10;
const groupKeyType = 0;

/** What to read of a group: these partitions, or (null) whatever it has committed. */
export type WantedPartitions = ReadonlyMap<string, readonly number[]> | null;

/** What a group has committed: offsets by topic and partition; an error where one was refused; nothing where there is no commit. */
export type Committed = ReadonlyMap<string, ReadonlyMap<number, number | SourceError>>;

/** Committed offsets of groups, asked of their coordinators. Joins no group. */
export class Groups {
  readonly #brokers: Brokers;
  readonly #coordinators = new Map<string, BrokerAddress>();

  constructor(brokers: Brokers) {
    this.#brokers = brokers;
  }

  /** One answer or failure for each group: one question to each coordinator for all its groups. */
  async committed(wanted: ReadonlyMap<string, WantedPartitions>): Promise<Map<string, Committed | SourceError>> {
    const answers = new Map<string, Committed | SourceError>();
    const unknown = [...wanted.keys()].filter((group) => !this.#coordinators.has(group));
    if (unknown.length > 0) await this.#findCoordinators(unknown, answers);
    const byCoordinator = new Map<string, { address: BrokerAddress; groups: string[] }>();
    for (const group of wanted.keys()) {
      const address = this.#coordinators.get(group);
      if (!address || answers.has(group)) continue;
      const key = addressText(address);
      const entry = byCoordinator.get(key) ?? { address, groups: [] };
      entry.groups.push(group);
      byCoordinator.set(key, entry);
    }
    await Promise.all(
      [...byCoordinator.values()].map(async ({ address, groups }) => {
        try {
          await this.#fetch(await this.#brokers.get(address), groups, wanted, answers);
        } catch (error) {
          const fault = kafkaError(error, addressText(address));
          for (const group of groups) {
            this.#coordinators.delete(group);
            answers.set(group, fault);
          }
        }
      }),
    );
    return answers;
  }

  /** Asks for its coordinator anew next time. */
  forget(group: string): void {
    this.#coordinators.delete(group);
  }

  async #findCoordinators(groups: readonly string[], answers: Map<string, Committed | SourceError>): Promise<void> {
    const broker = await this.#brokers.any();
    const { client, connection } = broker;
    const found = broker.speaks(findCoordinatorApi, 4)
      ? (await broker.answer(client.findCoordinatorV4.api.async(connection, groupKeyType, [...groups]))).coordinators
      : await Promise.all(
          groups.map(async (key) => {
            const answer = await broker.answer(client.findCoordinatorV1.api.async(connection, groupKeyType, [key]));
            return answer.coordinators.map((coordinator) => ({ ...coordinator, key }));
          }),
        ).then((answers) => answers.flat());
    for (const { key, host, port, errorCode } of found) {
      if (errorCode === kafkaCodes.none) this.#coordinators.set(key, { host, port });
      else answers.set(key, this.#fault(errorCode, key));
    }
  }

  async #fetch(
    broker: Broker,
    groups: readonly string[],
    wanted: ReadonlyMap<string, WantedPartitions>,
    answers: Map<string, Committed | SourceError>,
  ): Promise<void> {
    const { client, connection } = broker;
    const asked = groups.map((groupId) => ({
      groupId,
      memberId: null,
      memberEpoch: -1,
      topics: requested(wanted.get(groupId)),
    }));
    const found = broker.speaks(offsetFetchApi, 8)
      ? (await broker.answer(client.offsetFetchV8.api.async(connection, asked, false))).groups
      : await Promise.all(
          asked.map(async (one) => {
            const answer = await broker.answer(client.offsetFetchV5.api.async(connection, [one], false));
            return { ...answer, groupId: one.groupId };
          }),
        );
    for (const { groupId, errorCode, topics } of found) {
      if (errorCode === kafkaCodes.none || errorCode === kafkaCodes.groupIdNotFound) {
        answers.set(groupId, new Map(topics.map(({ name, partitions }) => [name, this.#offsets(name, partitions)])));
      } else {
        this.#coordinators.delete(groupId);
        answers.set(groupId, this.#fault(errorCode, groupId));
      }
    }
  }

  #offsets(topic: string, partitions: readonly AnsweredPartition[]): Map<number, number | SourceError> {
    const offsets = new Map<number, number | SourceError>();
    for (const { partitionIndex, committedOffset, errorCode } of partitions) {
      if (errorCode !== kafkaCodes.none) {
        offsets.set(partitionIndex, codeError(errorCode, this.#brokers.where, `topic ${topic}`));
      } else if (committedOffset >= 0n) {
        offsets.set(partitionIndex, Number(committedOffset));
      }
    }
    return offsets;
  }

  #fault(code: number, group: string): SourceError {
    return codeError(code, this.#brokers.where, `group ${group}`);
  }
}

interface AnsweredPartition {
  partitionIndex: number;
  committedOffset: bigint;
  errorCode: number;
}

function requested(wanted: WantedPartitions | undefined) {
  if (!wanted) return null;
  return [...wanted].map(([name, partitions]) => ({ name, partitionIndexes: [...partitions] }));
}
