import { cacheKey } from '../auth/cacheKey.ts';
import type { ScalerContext, SourceReading, TriggerSource } from '../contract/source.ts';
import { newsOnly } from '../runtime/newsOnly.ts';
import { untilAborted } from '../runtime/untilAborted.ts';
import type { Measure, Measured } from './measures.ts';
import type { RedisPlace } from './place.ts';
import { RedisReader } from './redisReader.ts';

/** A source that counts one thing in Redis; active strictly above the activation value. */
export function openRedis(
  place: RedisPlace,
  measure: Measure,
  activationValue: number,
  context: ScalerContext,
): TriggerSource {
  const lease = context.connections.lease(
    `redis ${cacheKey(JSON.stringify(place))}`,
    () => new RedisReader(place, { timeoutMs: context.timeoutMs, nowMs: () => context.nowMs() }),
    (reader) => reader.close(),
  );
  const reader = lease.connection;
  const reading = ({ value, message }: Measured): SourceReading => ({
    value,
    active: value > activationValue,
    ...(message === undefined ? {} : { message }),
  });
  return {
    read: async (signal) => reading(await untilAborted(reader.rounds.once(measure), signal, reader.where)),
    watch(news, pace) {
      const deafen = reader.listen(measure);
      const stop = reader.rounds.watch(
        measure,
        pace,
        newsOnly(news, reading, () => context.nowMs()),
      );
      return () => {
        stop();
        deafen();
      };
    },
    close: () => lease.release(),
  };
}
