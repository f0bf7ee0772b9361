/** Where a group and the log stand in one partition. */
export interface PartitionPosition {
  /** Offset that the group reads next; null: it has committed none. */
  committed: number | null;
  /** Offset that the next message will get; null: the broker left the partition out of its answer. */
  latest: number | null;
}

/** Settings that say what a lag is. */
export interface LagRules {
  offsetResetPolicy: 'latest' | 'earliest';
  scaleToZeroOnInvalidOffset: boolean;
}

/** Settings that say what becomes of the sum. */
export interface MetricRules {
  lagThreshold: number;
  allowIdleConsumers: boolean;
  limitToPartitionsWithLag: boolean;
  ensureEvenDistributionOfPartitions: boolean;
}

/** Lag of one partition: what counts for the metric, and what counts for the activation. */
export interface PartitionLag {
  lag: number;
  withPersistent: number;
}

/**
 * KEDA's lag of one partition in messages. Without a commit a consumer begins at the end (`latest`: 1, so that one comes
 * up and commits) or at the beginning (`earliest`: the whole log); `isStuck` (see `PersistentLag`) takes it out of the
 * metric. Negative where the log was cut or made anew below what is committed.
 */
export function lagOfPartition(
  { committed, latest }: PartitionPosition,
  rules: LagRules,
  isStuck: boolean,
): PartitionLag {
  if (committed === null && rules.scaleToZeroOnInvalidOffset) return both(0);
  if (committed === null && rules.offsetResetPolicy === 'latest') return both(1);
  if (latest === null) return both(0);
  if (committed === null) return both(latest);
  const lag = latest - committed;
  return { lag: isStuck ? 0 : lag, withPersistent: lag };
}

function both(lag: number): PartitionLag {
  return { lag, withPersistent: lag };
}

/**
 * KEDA's metric from the lag of all partitions: bounded so that it never asks for more consumers than partitions (or
 * than partitions with lag), and raised to the next divisor of the partitions where they are to be spread evenly.
 */
export function metricOf(total: number, partitions: number, partitionsWithLag: number, rules: MetricRules): number {
  const { lagThreshold, allowIdleConsumers, limitToPartitionsWithLag, ensureEvenDistributionOfPartitions } = rules;
  if (allowIdleConsumers && !limitToPartitionsWithLag && !ensureEvenDistributionOfPartitions) return Math.max(0, total);
  const wanted = ensureEvenDistributionOfPartitions
    ? evenConsumers(total, partitions, lagThreshold) * lagThreshold
    : total;
  const bound = limitToPartitionsWithLag ? partitionsWithLag : partitions;
  const metric = Math.trunc(wanted / lagThreshold) > bound ? bound * lagThreshold : wanted;
  return Math.max(0, metric);
}

/** The smallest number of consumers that divides the partitions and whose thresholds cover the lag; else all of them. */
export function evenConsumers(total: number, partitions: number, lagThreshold: number): number {
  for (let consumers = 1; consumers < partitions; consumers++) {
    if (partitions % consumers === 0 && consumers * lagThreshold >= total) return consumers;
  }
  return partitions;
}
