import type { SourceError } from '../contract/errors.ts';
import { addressText, type Broker, type BrokerAddress } from './broker.ts';
import type { Brokers } from './brokers.ts';
import { codeError, kafkaCodes, kafkaError } from './errors.ts';
import type { Topics } from './topics.ts';

const listOffsetsApi = 2;
const latestTimestamp = -1n;
const consumerReplica = -1;
/** Up to the high watermark: what a consumer without transactions can read. */
const readUncommitted = 0;

/** End of the log by topic and partition; an error where it was refused; nothing where the broker left it out. */
export type LogEnds = ReadonlyMap<string, ReadonlyMap<number, number | SourceError>>;

/** Offsets that the next messages will get: one question to each leader for all partitions that it leads. */
export async function logEnds(
  brokers: Brokers,
  topics: Topics,
  wanted: ReadonlyMap<string, readonly number[]>,
): Promise<LogEnds> {
  const ends = new Map<string, Map<number, number | SourceError>>();
  const set = (topic: string, partition: number, end: number | SourceError) => {
    const known = ends.get(topic) ?? new Map<number, number | SourceError>();
    ends.set(topic, known.set(partition, end));
  };
  const byLeader = new Map<string, { address: BrokerAddress; topics: Map<string, number[]> }>();
  for (const [topic, partitions] of wanted) {
    for (const partition of partitions) {
      const address = topics.leader(topic, partition);
      if (!address) {
        set(topic, partition, fault(kafkaCodes.leaderNotAvailable, brokers.where, topic, partition));
        continue;
      }
      const key = addressText(address);
      const entry = byLeader.get(key) ?? { address, topics: new Map<string, number[]>() };
      byLeader.set(key, entry);
      entry.topics.set(topic, [...(entry.topics.get(topic) ?? []), partition]);
    }
  }
  await Promise.all(
    [...byLeader.values()].map(async ({ address, topics: asked }) => {
      try {
        const answer = await ask(await brokers.get(address), asked);
        for (const { name, partitions } of answer.topics) {
          for (const { partitionIndex, errorCode, offset } of partitions) {
            const isFine = errorCode === kafkaCodes.none;
            set(name, partitionIndex, isFine ? Number(offset) : fault(errorCode, brokers.where, name, partitionIndex));
          }
        }
      } catch (error) {
        const failure = kafkaError(error, addressText(address));
        for (const [topic, partitions] of asked) for (const partition of partitions) set(topic, partition, failure);
      }
    }),
  );
  return ends;
}

function ask(broker: Broker, asked: ReadonlyMap<string, readonly number[]>) {
  const topics = [...asked].map(([name, partitions]) => ({
    name,
    partitions: partitions.map((partitionIndex) => ({
      partitionIndex,
      currentLeaderEpoch: -1,
      timestamp: latestTimestamp,
    })),
  }));
  const { listOffsetsV2, listOffsetsV7 } = broker.client;
  const { api } = broker.speaks(listOffsetsApi, 7) ? listOffsetsV7 : listOffsetsV2;
  return broker.answer(api.async(broker.connection, consumerReplica, readUncommitted, topics));
}

function fault(code: number, where: string, topic: string, partition: number): SourceError {
  return codeError(code, where, `partition ${partition} of topic ${topic}`);
}
