import type { AllocationLimits, Cause, Memory, ReplicaUsageSample, RunObservation } from '@ebb/core';
import type { WorkloadSpec } from '@ebb/documents';
import type { Alarms } from './alarms.ts';
import type { HttpRoutes } from './httpRoutes.ts';
import type { GatewayLink } from './gatewayLink.ts';
import type { Fleets } from './nodes/fleets.ts';
import type { Journal } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { MoneyWatch } from './moneyWatch.ts';
import type { Replica } from './replicaSet.ts';
import type { ScaledObjects } from './scaledObjects.ts';
import type { StatusFeed } from './statusFeed.ts';
import type { EngineOptions, EnginePorts, WorkloadRecommendation } from './types.ts';
import type { WorkloadState } from './workloadState.ts';

/** What the parts of the engine share. */
export interface EngineContext {
  readonly options: EngineOptions;
  readonly ports: EnginePorts;
  readonly workloads: Map<string, WorkloadState>;
  /** Owner of each replica. */
  readonly owners: Map<string, WorkloadState>;
  readonly gateways: Map<string, GatewayLink>;
  readonly journal: Journal;
  readonly ledger: Ledger;
  readonly money: Pick<MoneyWatch, 'limits' | 'idleCost'>;
  readonly fleets: Fleets;
  readonly feed: StatusFeed;
  /** When each workload is to be looked at though nothing happens. */
  readonly alarms: Alarms<WorkloadState>;
  readonly scaledObjects: ScaledObjects;
  readonly httpRoutes: HttpRoutes;
  /** What the driver has is known, so replicas may be started and ended. */
  adopted: boolean;
  driverConnected: boolean;
  /** Every replica is on its way out for good. */
  quiescing: boolean;
  stopped: boolean;
  /** Some workload depends on another. */
  hasDependencies: boolean;
  /** Bounds over all workloads. */
  limits: AllocationLimits;
  allocationMemory: Memory | null;
  /** Has the workload decided on once this turn is over. */
  touch(state: WorkloadState, cause: Cause): void;
  /** Decides on what was touched now: for a request that waits at zero. */
  reconcileNow(): void;
  /** Another control plane has taken over, for good. */
  deposed(): void;
  /** A deleted workload's last replica is gone. */
  hasLeft(state: WorkloadState): void;
  /** Its replicas, or what is in flight on them, may be others than before. */
  noteUse(state: WorkloadState): void;
  /** The driver has measured what replicas use. */
  measured(samples: readonly ReplicaUsageSample[]): void;
  /** What the driver says of runs of Jobs. */
  readonly runs: { listed(runs: readonly RunObservation[]): void; observed(run: RunObservation): void };
  /** The workload's state must be saved. */
  unsaved(state: WorkloadState): void;
  /** What the workload's classes should ask for by now, beside what the spec says. */
  recommendation(state: WorkloadState, spec: WorkloadSpec): WorkloadRecommendation;
}

/** Records something that happened to a replica, for `explain`. */
export function recordOutcome(context: EngineContext, state: WorkloadState, replica: Replica, outcome: string): void {
  const { id, phase, message } = replica;
  context.journal.record('outcome', state.key, { type: outcome, replica: id, class: replica.class, phase, message });
}

/** Records something that the engine does, with the decision it follows from. */
export function recordAction(
  context: EngineContext,
  state: WorkloadState,
  type: string,
  data: Record<string, unknown>,
): void {
  context.journal.record('action', state.key, { type, ...data, because: state.decisionSequence });
}

/** Whether a port refused because another control plane writes with a newer epoch. */
export function isStaleEpoch(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'stale-epoch';
}
