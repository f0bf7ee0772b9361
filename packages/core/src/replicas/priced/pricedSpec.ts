import type { WorkloadSpec } from '@ebb/documents';
import type { PricedTuning } from './tuning.ts';

/** What the policy `priced` decides from; `decisionSpecOf` makes it of a Workload document. */
export interface PricedDecisionSpec {
  policy: 'priced';
  workload: string;
  /** Cheapest first; concurrency 0: no limit in the document. */
  classes: { name: string; concurrency: number; pricePerHourMicro: number }[];
  /** `keepAliveMs` counts only where `keepAliveGiven` is set. */
  scaling: WorkloadSpec['scaling'];
  /** A request is on time when its service begins within this. */
  onTimeMs: number;
  /** Share that is to be on time; null: lateness has a price only. */
  onTimeShare: number | null;
  /** Price of a late request in micro-units of the currency; null: two cold starts of a replica. */
  costOfLatenessMicro: number | null;
  /** Where other numbers than those of `pricedTuning` are to count. */
  tuning?: Partial<PricedTuning>;
}
