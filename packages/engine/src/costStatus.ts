import { costOfKeeping, microOf } from '@ebb/core';
import type { CostStatus } from '@ebb/documents';
import type { WorkloadLedger } from './ledger.ts';
import type { WorkloadState } from './workloadState.ts';

/**
 * What the workload has cost, beside what it would have cost to keep the largest number of replicas seen all the time
 * since it was applied. Sums are exact and rounded once, here.
 */
export function costStatus(state: WorkloadState, ledger: Readonly<WorkloadLedger>, nowMs: number): CostStatus {
  let priceMs = ledger.closedPriceMs;
  let replicaMs = ledger.closedMs;
  let ratePerHourMicro = 0;
  for (const row of ledger.open.values()) {
    const ms = Math.max(0, nowMs - row.fromMs);
    priceMs += BigInt(row.pricePerHourMicro) * BigInt(ms);
    replicaMs += ms;
    ratePerHourMicro += row.pricePerHourMicro;
  }
  const sinceMs = Math.min(state.stored.createdAtMs, ledger.firstMs ?? state.stored.createdAtMs);
  const peak = Math.max(ledger.peakReplicas, state.spec.scaling.minReplicas);
  const dearest = Math.max(0, ...state.spec.classes.map((one) => one.pricePerHourMicro));
  const price = ledger.peakPricePerHourMicro || dearest;
  const always = costOfKeeping(peak, nowMs - sinceMs, price);
  const currency = ledger.currency ?? state.spec.classes[0]?.currency ?? 'USD';
  return {
    currency,
    ratePerHourMicro,
    soFarMicro: String(microOf(priceMs)),
    replicaSeconds: replicaMs / 1000,
    alwaysOnMicro: String(always.micro),
    alwaysOnReplicaSeconds: always.replicaMs / 1000,
    assumption: assumptionText(currency, price, peak),
  };
}

/** What the figures rest on, in one line. */
function assumptionText(currency: string, pricePerHourMicro: number, peak: number): string {
  const price =
    pricePerHourMicro > 0
      ? `Price from the document: ${currency} ${pricePerHourMicro / 1e6} an hour a replica, from asking for it until it is gone`
      : 'The document gives no price';
  const replicas = peak === 1 ? 'one replica' : `${peak} replicas`;
  return `${price}. Always-on: ${replicas}, the most seen, since the workload was applied.`;
}
