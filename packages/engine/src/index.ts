export { fleetJournalPrefix } from './nodes/fleetJournal.ts';
export { type ComparedFleetStep, FleetReplayer } from './nodes/fleetReplay.ts';
export type { Guests, NodePorts, ProviderSurroundings } from './nodes/ports.ts';
export { assumedColdStartMs, coldStartOf, medianOf } from './coldStarts.ts';
export { Counterfactual, type CounterfactualOptions, type TriedPolicy } from './counterfactual.ts';
export { decisionInputs, replayStart } from './decisionInputs.ts';
export { createEngine } from './engine.ts';
export type { BudgetRule } from './budgets.ts';
export type { CostRequest } from './costOfSpan.ts';
export type { MoneyNotice } from './moneyNotices.ts';
export type { MoneyRules } from './moneyWatch.ts';
export { RecordedPolicy } from './recordedPolicy.ts';
export { isWorkloadSnapshot, type ReplayedDecision, replayJournal, type WorkloadSnapshot } from './replay.ts';
export {
  type ComparedDecisions,
  type ReplayFailure,
  Replayer,
  type ReplayListener,
  type ReplayStep,
} from './replayer.ts';
export type { PolicyTotals, ServedClass } from './replicaMeter.ts';
export { confidenceOf, minCpuMilli, minMemoryBytes } from './sizingRecommendation.ts';
export * from './types.ts';
export { rolloutsAnnotation, targetRevision } from './workloadState.ts';
