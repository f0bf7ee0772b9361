import { SourceError } from '../contract/errors.ts';
import type { SourceReading } from '../contract/source.ts';
import { type LagRules, lagOfPartition, type MetricRules, metricOf } from './lag.ts';
import type { GroupOffsets, PartitionOffsets } from './offsets.ts';
import type { PartitionLimitation } from './partitionLimitation.ts';
import type { PersistentLag } from './persistentLag.ts';

/** What of a trigger's settings decides the value. */
export interface GroupLagRules extends LagRules, MetricRules {
  topics: readonly string[] | null;
  partitionLimitation: PartitionLimitation | null;
  excludePersistentLag: boolean;
  activationLagThreshold: number;
  /** Whether topics that do not exist count as empty. */
  missingTopicsAreEmpty: boolean;
}

/** A trigger's reading from the offsets of its group. Throws `SourceError` for what could not be read. */
export function readingOf(
  offsets: GroupOffsets,
  rules: GroupLagRules,
  persistentLag: PersistentLag,
  { isPoll, where }: { isPoll: boolean; where: string },
): SourceReading {
  const messages: string[] = [];
  let total = 0;
  let totalWithPersistent = 0;
  let partitions = 0;
  let partitionsWithLag = 0;
  for (const [topic, found] of offsets) {
    if (found instanceof SourceError) {
      if (found.code !== 'not-found' || !rules.missingTopicsAreEmpty) throw found;
      messages.push(`topic ${topic} does not exist: read as empty`);
      continue;
    }
    for (const { partition, committed, latest } of limited(topic, found, rules, where)) {
      if (committed instanceof SourceError) throw committed;
      if (latest instanceof SourceError) throw latest;
      // A partition that the broker left out is none that a consumer could be for.
      if (latest !== null) partitions++;
      const isLooked = rules.excludePersistentLag && committed !== null && latest !== null;
      const isStuck = isLooked && persistentLag.isStuck(topic, partition, committed, isPoll);
      const { lag, withPersistent } = lagOfPartition({ committed, latest }, rules, isStuck);
      total += lag;
      totalWithPersistent += withPersistent;
      if (lag > 0) partitionsWithLag++;
    }
  }
  if (rules.topics === null && offsets.size === 0) {
    messages.push('the group has committed nothing yet: name a topic for a first message to count');
  }
  return {
    value: metricOf(total, partitions, partitionsWithLag, rules),
    active: totalWithPersistent > rules.activationLagThreshold,
    ...(messages.length === 0 ? {} : { message: messages.join('; ') }),
  };
}

function limited(
  topic: string,
  found: readonly PartitionOffsets[],
  { topics, partitionLimitation, missingTopicsAreEmpty }: GroupLagRules,
  where: string,
): readonly PartitionOffsets[] {
  // KEDA ignores it for triggers that name no topic.
  if (!partitionLimitation || topics === null) return found;
  const kept = found.filter(({ partition }) => partitionLimitation.has(partition));
  if (kept.length === 0 && !missingTopicsAreEmpty) {
    const { text } = partitionLimitation;
    throw new SourceError('not-found', `${where}: topic ${topic} has ${found.length} partitions and none of ${text}`);
  }
  return kept;
}
