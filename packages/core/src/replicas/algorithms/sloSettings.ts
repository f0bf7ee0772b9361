import type { SloObjectiveSpec } from '@ebb/documents';
import type { ReplicaLimits } from './limits.ts';
import type { SloTrigger } from './sloTriggers.ts';

export interface SloSettings extends ReplicaLimits {
  triggers: SloTrigger[];
  /** Time from a decision to a ready replica, until a longer one has been seen. */
  startTimeMs: number;
  /** How long an idle workload keeps its last replica; only when `minReplicas` is 0. */
  keepAliveMs: number;
  /** How often the replicas' own metrics are read; left out: they are not. */
  metricsIntervalMs?: number;
  /** Left out: there is no error budget. */
  objective?: SloObjectiveSpec;
}

export const defaultSloSettings: SloSettings = {
  minReplicas: 1,
  maxReplicas: null,
  triggers: [],
  startTimeMs: 30_000,
  keepAliveMs: 300_000,
};
