import type { Reader } from '@platformatic/kafka';
import type { Broker } from './broker.ts';

const fetchApi = 1;
/** The one version of Fetch that every broker since 0.11 understands. */
const fetchVersion = 4;
/** Longest time that a broker keeps the question when nothing is produced. */
export const longPollMs = 10_000;

/** A place in a log from which on messages are new. */
export interface LogPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What came of a long poll. */
export interface LongPolled {
  throttleMs: number;
  bytes: number;
  partitions: { topic: string; partition: number; code: number; end: number }[];
}

/** Whether the broker can be asked like this. */
export function canLongPoll(broker: Broker): boolean {
  return broker.speaks(fetchApi, fetchVersion);
}

/** Answers as soon as there is a message at or after one of the offsets, or after the long poll's time. */
export function nextMessages({ client, connection }: Broker, positions: readonly LogPosition[]): Promise<LongPolled> {
  const api = client.createAPI<Parameters<typeof client.fetchV4.createRequest>, LongPolled>(
    fetchApi,
    fetchVersion,
    client.fetchV4.createRequest,
    (_correlation, _key, _version, reader) => parseFetched(reader),
    false,
    false,
  );
  const topics = Map.groupBy(positions, ({ topic }) => topic);
  const requested = [...topics].map(([topicId, partitions]) => ({
    topicId,
    partitions: partitions.map(({ partition, offset }) => ({
      partition,
      fetchOffset: BigInt(offset),
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      partitionMaxBytes: 1,
    })),
  }));
  return api.async(connection, longPollMs, 1, 1, 0, 0, -1, requested, [], '');
}

/** The ends of the logs; messages are skipped unread. */
function parseFetched(reader: Reader): LongPolled {
  const throttleMs = reader.readInt32();
  let bytes = 0;
  const topics = reader.readArray(
    () => {
      const topic = reader.readString(false);
      return reader.readArray(
        () => {
          const partition = reader.readInt32();
          const code = reader.readInt16();
          const end = Number(reader.readInt64());
          reader.readInt64();
          reader.readNullableArray(() => reader.skip(16), false, false);
          const size = Math.max(0, reader.readInt32());
          reader.skip(size);
          bytes += size;
          return { topic, partition, code, end };
        },
        false,
        false,
      );
    },
    false,
    false,
  );
  return { throttleMs, bytes, partitions: topics.flat() };
}
