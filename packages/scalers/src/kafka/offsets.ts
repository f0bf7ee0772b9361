import { SourceError } from '../contract/errors.ts';
import type { Brokers } from './brokers.ts';
import { type Committed, Groups, type WantedPartitions } from './groups.ts';
import { type LogEnds, logEnds } from './logEnds.ts';
import { Topics } from './topics.ts';

/** What one trigger wants to know. */
export interface Question {
  readonly group: string;
  /** Null: the topics on which the group has committed. */
  readonly topics: readonly string[] | null;
}

/** Offsets of one partition; null: no commit, and left out by the broker. */
export interface PartitionOffsets {
  readonly partition: number;
  readonly committed: number | null | SourceError;
  readonly latest: number | null | SourceError;
}

/** By topic; an error for a topic that cannot be read. */
export type GroupOffsets = ReadonlyMap<string, readonly PartitionOffsets[] | SourceError>;

/** Answers questions about groups and topics, all that are asked together with as few requests as brokers allow. */
export class Offsets {
  readonly topics: Topics;
  readonly #groups: Groups;
  readonly #brokers: Brokers;

  constructor(brokers: Brokers, nowMs: () => number) {
    this.#brokers = brokers;
    this.topics = new Topics(brokers, nowMs);
    this.#groups = new Groups(brokers);
  }

  /**
   * One answer or failure for each question. What failed because a leader or coordinator has moved is looked up anew
   * the next time.
   */
  async read(questions: readonly Question[]): Promise<(GroupOffsets | SourceError)[]> {
    const named = await this.topics.partitions(new Set(questions.flatMap(({ topics }) => topics ?? [])));
    // Before the ends of the logs: a group that reads on in between never seems to be ahead of the log.
    const committed = await this.#groups.committed(wantedOf(questions, named));
    const found = new Set(questions.flatMap(({ group, topics }) => topics ?? committedTopics(committed.get(group))));
    for (const name of named.keys()) found.delete(name);
    const partitions = new Map([...named, ...(await this.topics.partitions(found))]);
    const readable = [...partitions].filter(
      (entry): entry is [string, readonly number[]] => !(entry[1] instanceof SourceError),
    );
    const ends = await logEnds(this.#brokers, this.topics, new Map(readable));
    return questions.map((question) => this.#answer(question, partitions, committed.get(question.group), ends));
  }

  #answer(
    { group, topics }: Question,
    partitions: ReadonlyMap<string, readonly number[] | SourceError>,
    committed: Committed | SourceError | undefined,
    ends: LogEnds,
  ): GroupOffsets | SourceError {
    if (committed instanceof SourceError || committed === undefined) {
      this.#groups.forget(group);
      return committed ?? new SourceError('bad-answer', `${this.#brokers.where}: no word about group ${group}`);
    }
    const answer = new Map<string, readonly PartitionOffsets[] | SourceError>();
    for (const topic of topics ?? committedTopics(committed)) {
      const known = partitions.get(topic);
      if (known === undefined) continue;
      if (known instanceof SourceError) {
        answer.set(topic, known);
        continue;
      }
      const offsets = known.map((partition) => ({
        partition,
        committed: committed.get(topic)?.get(partition) ?? null,
        latest: ends.get(topic)?.get(partition) ?? null,
      }));
      if (offsets.some(({ latest }) => latest instanceof SourceError)) this.topics.forget(topic);
      answer.set(topic, offsets);
    }
    return answer;
  }
}

function wantedOf(
  questions: readonly Question[],
  partitions: ReadonlyMap<string, readonly number[] | SourceError>,
): Map<string, WantedPartitions> {
  const wanted = new Map<string, Map<string, readonly number[]> | null>();
  for (const { group, topics } of questions) {
    const known = wanted.get(group);
    if (known === null) continue;
    if (topics === null) {
      wanted.set(group, null);
      continue;
    }
    const ofGroup = known ?? new Map<string, readonly number[]>();
    for (const topic of topics) {
      const numbers = partitions.get(topic);
      if (numbers && !(numbers instanceof SourceError)) ofGroup.set(topic, numbers);
    }
    wanted.set(group, ofGroup);
  }
  return wanted;
}

function committedTopics(committed: Committed | SourceError | undefined): string[] {
  return committed instanceof Map
    ? [...committed].filter(([, offsets]) => offsets.size > 0).map(([topic]) => topic)
    : [];
}
