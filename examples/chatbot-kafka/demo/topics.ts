import type { Admin } from '@platformatic/kafka';

export const questionsTopic = 'questions';
export const answersTopic = 'answers';
export const group = 'chatbot';

/** Makes the topics that are not there yet. Returns the number of partitions of the questions. */
export async function createTopics(admin: Admin, partitions: number): Promise<number> {
  const present = new Set(await admin.listTopics());
  // The broker's own number of copies: one broker has one, a cluster what it was set up for.
  if (!present.has(questionsTopic)) await admin.createTopics({ topics: [questionsTopic], partitions, replicas: -1 });
  if (!present.has(answersTopic)) await admin.createTopics({ topics: [answersTopic], partitions: 4, replicas: -1 });
  const { topics } = await admin.metadata({ topics: [questionsTopic] });
  return topics.get(questionsTopic)?.partitionsCount ?? partitions;
}

/** Questions that the group has not answered yet, as Kafka itself counts them. */
export async function readLag(admin: Admin, partitions: number): Promise<number> {
  const indexes = Array.from({ length: partitions }, (_, index) => index);
  const [groups, ends] = await Promise.all([
    admin.listConsumerGroupOffsets({
      groups: [{ groupId: group, topics: [{ name: questionsTopic, partitionIndexes: indexes }] }],
    }),
    admin.listOffsets({
      topics: [
        {
          name: questionsTopic,
          partitions: indexes.map((partitionIndex) => ({ partitionIndex, timestamp: -1n })),
        },
      ],
    }),
  ]);
  const committed = new Map(
    (groups[0]?.topics ?? []).flatMap(({ partitions: found }) =>
      found.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset] as const),
    ),
  );
  let lag = 0n;
  for (const { partitionIndex, offset } of ends[0]?.partitions ?? []) {
    const done = committed.get(partitionIndex) ?? 0n;
    lag += offset - (done > 0n ? done : 0n);
  }
  return Number(lag);
}
