export {
  applyInput,
  clusterInput,
  kedaInput,
  nodePoolInput,
  offering,
  workloadDocument,
  workloadSpec,
} from './builders.ts';
export { type ChaosOptions, type ChaosReport, runChaos } from './chaos.ts';
export { type FleetChaosReport, runFleetChaos } from './fleetChaos.ts';
export { type JobChaosReport, runJobChaos } from './jobChaos.ts';
export { Invariants } from './invariants.ts';
export { type Arrivals, bursts, constant, type LoadOptions, poisson, recorded, startLoad } from './load.ts';
export { MemoryStore, type StoreFaults } from './memoryStore.ts';
export { nodeLaunch } from './nodeLaunch.ts';
export { SeededRandom } from './random.ts';
export { settle, VirtualClock, virtualEpochMs } from './virtualClock.ts';
export { type StartPlan, type SteadyUsage, VirtualDriver, type VirtualDriverOptions } from './virtualDriver.ts';
export {
  type OfferingPattern,
  VirtualCloud,
  type VirtualCloudOptions,
  type VirtualNodePlan,
} from './virtualCloud.ts';
export {
  type Exchange,
  type ExchangeOutcome,
  VirtualGateway,
  type VirtualGatewayOptions,
} from './virtualGateway.ts';
export { VirtualGatewayPort } from './virtualGatewayPort.ts';
export { type LlmModel, VirtualLlm } from './virtualLlm.ts';
export { VirtualMetrics, type VirtualPage } from './virtualMetrics.ts';
export { VirtualProvider, type VirtualProviderOptions } from './virtualProvider.ts';
export { type RunPlan, VirtualRuns } from './virtualRuns.ts';
export { periodicSchedules, VirtualScaler } from './virtualScaler.ts';
export { type VirtualAnswer, VirtualTriggers } from './virtualTriggers.ts';
export { type LogEntry, VirtualSystem, type VirtualSystemOptions } from './virtualSystem.ts';
