import { Admin, Producer, stringSerializers } from '@platformatic/kafka';

const batch = 20_000;

/** Sets logs and commits on a broker, quickly: what is asserted comes from Kafka's own tools. */
export class KafkaAdmin {
  readonly admin: Admin;
  readonly #producer: Producer<string, string, string, string>;

  constructor(bootstrapServers: string) {
    const options = { clientId: 'test', bootstrapBrokers: [bootstrapServers], retries: 20, retryDelay: 250 };
    this.admin = new Admin(options);
    this.#producer = new Producer({ ...options, serializers: stringSerializers });
  }

  async createTopic(topic: string, partitions = 1): Promise<void> {
    await this.admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  }

  async produce(topic: string, count: number, partition = 0): Promise<void> {
    for (let sent = 0; sent < count; sent += batch) {
      const length = Math.min(batch, count - sent);
      const messages = Array.from({ length }, () => ({ topic, partition, value: 'x' }));
      await this.#producer.send({ messages, acks: -1 });
    }
  }

  /** Commits for a group without members. */
  async commit(groupId: string, topic: string, offset: number, partition = 0): Promise<void> {
    const partitionOffsets = [{ partition, offset: BigInt(offset) }];
    await this.admin.alterConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionOffsets }] });
  }

  async end(topic: string, partition = 0): Promise<number> {
    const partitions = [{ partitionIndex: partition, timestamp: -1n }];
    const [found] = await this.admin.listOffsets({ topics: [{ name: topic, partitions }] });
    return Number(found?.partitions[0]?.offset ?? 0n);
  }

  /** Everything that reading must leave alone. */
  async state(group: string): Promise<unknown> {
    return {
      topics: await this.admin.listTopics({ includeInternals: true }),
      groups: [...(await this.admin.listGroups()).keys()].sort(),
      group: (await this.admin.describeGroups({ groups: [group] })).get(group),
      offsets: await this.admin.listConsumerGroupOffsets({ groups: [group] }),
    };
  }

  async close(): Promise<void> {
    await this.#producer.close();
    await this.admin.close();
  }
}
