import { runCommand } from './command.ts';
import { programs } from './installed.ts';

export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  /** Undefined where the group has not committed any. */
  readonly committedOffset: number | undefined;
  readonly endOffset: number;
  /** Undefined where the group has not committed any offset. */
  readonly lag: number | undefined;
}

/** Kafka's own command line tools and kcat on one listener. Each Java tool takes about a second. */
export class KafkaTools {
  readonly #bootstrapServers: string;
  readonly #jvm: readonly string[];
  readonly #configFile: string | undefined;

  /** `configFile`: properties of the client, for a listener that wants more than an address. For Java's tools only. */
  constructor(bootstrapServers: string, jvm: readonly string[], configFile?: string) {
    this.#bootstrapServers = bootstrapServers;
    this.#jvm = jvm;
    this.#configFile = configFile;
  }

  async createTopic(topic: string, partitions = 1): Promise<void> {
    await this.#java('TopicCommand', ['--create', '--topic', topic, '--partitions', `${partitions}`]);
  }

  /** The names of all topics, which any client that got in may ask for. */
  async topics(): Promise<string[]> {
    return (await this.#java('TopicCommand', ['--list'])).split('\n').filter((line) => line !== '');
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#java('TopicCommand', ['--delete', '--topic', topic]);
  }

  /** Writes the messages, to one partition or spread over all of them. Returns when the broker has them. */
  async produce(topic: string, messages: readonly string[], { partition }: { partition?: number } = {}): Promise<void> {
    const where = partition === undefined ? [] : ['-p', `${partition}`];
    await this.#kcat(['-P', '-t', topic, '-X', 'acks=all', ...where], messages.map((line) => `${line}\n`).join(''));
  }

  /** Reads `count` messages as a member of the group, commits, and leaves. Returns them. */
  async consume(topic: string, group: string, count: number): Promise<string[]> {
    const from = ['-X', 'auto.offset.reset=earliest'];
    const output = await this.#kcat(['-G', group, '-c', `${count}`, '-q', ...from, topic]);
    return output.split('\n').slice(0, -1);
  }

  /** Commits an offset for the group, which must have no members: a number, or where the partition begins or ends. */
  async commit(
    group: string,
    topic: string,
    offset: number | 'earliest' | 'latest',
    partition?: number,
  ): Promise<void> {
    const what = partition === undefined ? topic : `${topic}:${partition}`;
    const to = typeof offset === 'number' ? ['--to-offset', `${offset}`] : [`--to-${offset}`];
    await this.#groups(['--group', group, '--topic', what, '--reset-offsets', ...to, '--execute']);
  }

  /** What Kafka itself says about the group: one entry a partition on which it has committed or is a member. */
  async groupOffsets(group: string): Promise<GroupOffset[]> {
    const output = await this.#groups(['--describe', '--group', group]);
    const number = (text: string | undefined) => (text === '-' ? undefined : Number(text));
    return output
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([name, , partition]) => name === group && /^\d+$/.test(partition ?? ''))
      .map(([, topic = '', partition, committed, end, lag]) => ({
        topic,
        partition: Number(partition),
        committedOffset: number(committed),
        endOffset: Number(end),
        lag: number(lag),
      }))
      .sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  }

  async #groups(args: readonly string[]): Promise<string> {
    const output = await this.#java('consumer.group.ConsumerGroupCommand', args);
    // The tool exits with 0 when it fails.
    const error = /^Error:.*/m.exec(output);
    if (error) throw new Error(`ConsumerGroupCommand: ${error[0]}`);
    return output;
  }

  #java(tool: string, args: readonly string[]): Promise<string> {
    const { java } = programs('kafka');
    const config = this.#configFile ? ['--command-config', this.#configFile] : [];
    const server = ['--bootstrap-server', this.#bootstrapServers, ...config];
    return runCommand(java, [...this.#jvm, `org.apache.kafka.tools.${tool}`, ...server, ...args]);
  }

  #kcat(args: readonly string[], input?: string): Promise<string> {
    return runCommand(programs('kafka').kcat, ['-b', this.#bootstrapServers, ...args], {
      ...(input === undefined ? {} : { input }),
    });
  }
}
