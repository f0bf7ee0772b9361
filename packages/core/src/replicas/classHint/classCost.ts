import type { ClassHintClass, ClassHintSpec } from './classHintSpec.ts';
import type { RateShares } from './dayOfRates.ts';
import { replicasNeeded } from './erlang.ts';

/** What serving all requests with replicas of one class comes to. */
export interface ClassCost {
  costPerHourMicro: number;
  /** Share of the requests that would be late. */
  lateShare: number;
  /** False: more replicas would be needed for the promise than there may be. */
  keepsPromise: boolean;
}

/** What is known of a class. */
export interface ClassTimes {
  serviceSeconds: number;
  coldStartSeconds: number;
}

/** Planned for where the document promises no share. */
const usualShare = 0.99;
/** Without a price a late request counts as two cold starts and at least half a minute, as the policy `priced` takes it. */
const lateColdStarts = 2;
const leastLateSeconds = 30;

/**
 * Cost an hour of the whole load on one class, in expectation: at each rate of the day the fewest replicas that keep the
 * promise (`replicasNeeded`), and for the quiet between the cheaper of keeping one replica and of going to zero, where each
 * return pays a cold start and makes requests late. Of a promised share only what waiting leaves may be spent on that.
 * Where the document has a price for late requests it is in the cost.
 */
export function costOfClass(
  spec: ClassHintSpec,
  { slots, pricePerHourMicro }: ClassHintClass,
  { serviceSeconds, coldStartSeconds }: ClassTimes,
  load: RateShares,
): ClassCost {
  const { minReplicas, maxReplicas, onTimeShare, costOfLatenessMicro } = spec;
  const onTimeSeconds = spec.onTimeMs / 1000;
  const mayBeLate = 1 - (onTimeShare ?? usualShare);
  const { meanPerSecond } = load;
  let replicas = 0;
  let latePerSecond = 0;
  let keepsPromise = true;
  for (const { share, ratePerSecond } of load.busy) {
    const waiting = { ratePerSecond, serviceSeconds, onTimeSeconds };
    const needed = replicasNeeded(waiting, slots, mayBeLate, maxReplicas);
    replicas += share * Math.max(minReplicas, needed.replicas);
    latePerSecond += share * ratePerSecond * needed.lateShare;
    keepsPromise &&= needed.enough;
  }
  const { quietShare, gapsPerSecond } = load;
  if (minReplicas > 0) {
    replicas += quietShare * minReplicas;
  } else if (gapsPerSecond > 0) {
    const gapSeconds = quietShare / gapsPerSecond;
    const busyPerSecond = meanPerSecond / Math.max(1e-9, 1 - quietShare);
    const tooLong = coldStartSeconds - onTimeSeconds;
    const latePerReturn = tooLong <= 0 ? 0 : 1 + tooLong * busyPerSecond;
    let toZero: number;
    if (onTimeShare === null) {
      const stated = costOfLatenessMicro !== null && pricePerHourMicro > 0;
      const usual = Math.max(leastLateSeconds, lateColdStarts * coldStartSeconds);
      const lateSeconds = stated ? (costOfLatenessMicro * 3600) / pricePerHourMicro : usual;
      toZero = coldStartSeconds + latePerReturn * lateSeconds < gapSeconds ? 1 : 0;
    } else {
      const left = Math.max(0, mayBeLate * meanPerSecond - latePerSecond);
      const affordable = latePerReturn === 0 ? 1 : Math.min(1, left / (gapsPerSecond * latePerReturn));
      toZero = coldStartSeconds < gapSeconds ? affordable : 0;
    }
    replicas += (1 - toZero) * quietShare + toZero * gapsPerSecond * coldStartSeconds;
    latePerSecond += toZero * gapsPerSecond * latePerReturn;
  }
  const lateCost = 3600 * latePerSecond * (costOfLatenessMicro ?? 0);
  return {
    costPerHourMicro: replicas * pricePerHourMicro + lateCost,
    lateShare: meanPerSecond > 0 ? Math.min(1, latePerSecond / meanPerSecond) : 0,
    keepsPromise,
  };
}
