import type { ScalerContext, SourceReading, TriggerSource } from '../contract/source.ts';
import { withinTime } from '../runtime/withinTime.ts';
import type { Account } from './account.ts';
import { leaseCluster } from './cluster.ts';
import { type GroupLagRules, readingOf } from './groupLag.ts';
import type { Follower, Positions } from './logTail.ts';
import type { GroupOffsets, Question } from './offsets.ts';
import { PersistentLag } from './persistentLag.ts';
import { startRounds } from './rounds.ts';

/** Opens the lag of one group. Throws `SourceError` for settings that cannot be used. */
export function openGroupLag(
  group: string,
  account: Account,
  rules: GroupLagRules,
  context: ScalerContext,
): TriggerSource {
  const lease = leaseCluster(account, context);
  const { where, questions, tail } = lease.connection;
  const question: Question = { group, topics: rules.topics };
  const persistentLag = new PersistentLag();
  const stops = new Set<() => void>();

  const reading = (offsets: GroupOffsets, isPoll: boolean): SourceReading =>
    readingOf(offsets, rules, persistentLag, { isPoll, where });

  return {
    read: async (signal) => reading(await questions.ask(question, signal), true),
    watch(news, pace) {
      const follower: Follower = { positions: new Map(), wake: () => rounds.wake() };
      let isStopped = false;
      const round = async (kind: 'poll' | 'woken') => {
        const answer = await withinTime(context.timeoutMs, where, async (signal) => {
          const offsets = await questions.ask(question, signal);
          follower.positions = positionsOf(offsets, rules);
          return reading(offsets, kind === 'poll');
        }).catch((error: Error) => error);
        if (isStopped) return true;
        tail.refresh();
        news(answer);
        return !(answer instanceof Error);
      };
      tail.add(follower);
      const rounds = startRounds(round, pace, () => context.nowMs());
      const stop = () => {
        isStopped = true;
        rounds.stop();
        tail.remove(follower);
        stops.delete(stop);
      };
      stops.add(stop);
      return stop;
    },
    close: async () => {
      for (const stop of stops) stop();
      await lease.release();
    },
  };
}

/** Where the logs end that the trigger looks at. */
function positionsOf(offsets: GroupOffsets, { topics, partitionLimitation }: GroupLagRules): Positions {
  const positions = new Map<string, Map<number, number>>();
  for (const [topic, found] of offsets) {
    if (found instanceof Error) continue;
    const ends = new Map<number, number>();
    for (const { partition, latest } of found) {
      const counts = topics === null || !partitionLimitation || partitionLimitation.has(partition);
      if (counts && typeof latest === 'number') ends.set(partition, latest);
    }
    positions.set(topic, ends);
  }
  return positions;
}
