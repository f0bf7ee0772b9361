export { allocate } from './allocate/allocate.ts';
export { affordableRateMicro } from './allocate/budget.ts';
export * from './allocate/types.ts';
export { type Cost, costOf, costOfKeeping, peakReplicas } from './cost/cost.ts';
export { type CostInput, costGroups, type CostQuery, monthForecasts } from './cost/costReport.ts';
export { microOf } from './cost/rational.ts';
export { civilDate } from './cost/civilDate.ts';
export { monthOf } from './cost/month.ts';
export { dayMs as costDayMs, forecastDays } from './cost/monthForecast.ts';
export { shareOfNode } from './cost/splitNode.ts';
export type { UsageHour } from './cost/usage.ts';
export { createDispatcher } from './dispatch/dispatcher.ts';
export * from './dispatch/types.ts';
export * from './explain/reasons.ts';
export { type ReasonEntry, reasonTable } from './explain/reasonTable.ts';
export { decisionSummary, reasonSentence } from './explain/sentences.ts';
export { whatWouldChange } from './explain/whatIf.ts';
export type { WhatIf } from './explain/whatIfSearch.ts';
export { whatIfSentence } from './explain/whatIfSentences.ts';
export { type Forecast, openForecast } from './forecast/forecast.ts';
export type * from './forecast/types.ts';
export { type CompiledFormula, compileFormula, evaluate as evaluateCompiled } from './formula/compile.ts';
export { FormulaError, type FormulaProblem } from './formula/problem.ts';
export { evaluateFormula } from './formula/evaluate.ts';
export { type AzureProof, azureTokenAnswer, azureTokenRequest } from './identity/azureSignIn.ts';
export { type Measure, readScrape, type Scrape } from './llm/readScrape.ts';
export {
  nothingTimed,
  type Timing,
  timingAbove,
  timingMeanMs,
  timingQuantileMs,
  timingSince,
  timingTogether,
} from './llm/timing.ts';
export * from './nodes/gpu/gpu.ts';
export type * from './nodes/types.ts';
export * from './ports/link.ts';
export type * from './ports/machineGpus.ts';
export { applyMove } from './nodes/consolidation/assignment.ts';
export { consolidate, type ConsolidationOptions } from './nodes/consolidation/consolidate.ts';
export type * from './nodes/consolidation/types.ts';
export { fleetSentence, goingSentence } from './nodes/fleet/explain.ts';
export { fleetStep } from './nodes/fleet/fleetStep.ts';
export type * from './nodes/fleet/types.ts';
export { greedyPlan, plan, type PlanOptions } from './nodes/placement/plan.ts';
export { allocatableOf, noReserve } from './nodes/placement/allocatable.ts';
export { checkPlan } from './nodes/placement/checkPlan.ts';
export { offeringLabels } from './nodes/placement/supply.ts';
export type * from './nodes/placement/types.ts';
export { meets, requirementsOf } from './nodes/requirements/requirements.ts';
export { untolerated } from './nodes/requirements/taints.ts';
export { hedgePool, type PoolHedge, type PoolHedgeQuestion } from './nodes/spot/hedgePool.ts';
export { spotSentence } from './nodes/spot/reasons.ts';
export { spotStep } from './nodes/spot/spotStep.ts';
export type * from './nodes/spot/types.ts';
export { unplaceableSentence } from './nodes/placement/unplaceableSentence.ts';
export { defaultStartStages, type FleetParts, fleetPartsOf, type FleetQuestion } from './nodes/planInput/fleetParts.ts';
export { type ExistingAnswer, type ExistingNode, withExistingNodes } from './nodes/planInput/existingNodes.ts';
export { placementInputOf } from './nodes/planInput/placementInputOf.ts';
export { hoursPerMonth, type PlacementAnswer, type PlacementQuestion } from './nodes/planInput/question.ts';
export type * from './ports/solver.ts';
export * from './ports/ports.ts';
export * from './ports/provider.ts';
export {
  type AibrixDecisionSpec,
  type AibrixSettings,
  decideByAibrix,
  defaultAibrixSettings,
} from './replicas/algorithms/aibrixApa.ts';
export {
  type ClarifaiDecisionSpec,
  type ClarifaiSettings,
  decideByClarifai,
  defaultClarifaiSettings,
} from './replicas/algorithms/clarifai.ts';
export {
  type KnativeProblem,
  type KnativeSettings,
  parseKnativeAnnotations,
} from './replicas/algorithms/knativeAnnotations.ts';
export { decideByKpa } from './replicas/algorithms/kpa.ts';
export * from './replicas/algorithms/kpaActivator.ts';
export {
  defaultKpaSettings,
  type KpaDecisionSpec,
  type KpaObservation,
  type KpaSettings,
  kpaPanicWindowMs,
  kpaTarget,
} from './replicas/algorithms/kpaSettings.ts';
export {
  decideByKubeAi,
  defaultKubeAiSettings,
  type KubeAiDecisionSpec,
  type KubeAiSettings,
} from './replicas/algorithms/kubeAi.ts';
export {
  decideByRay,
  defaultRaySettings,
  type RayDecisionSpec,
  type RaySettings,
} from './replicas/algorithms/rayServe.ts';
export {
  decideBySky,
  defaultSkySettings,
  type SkyDecisionSpec,
  type SkySettings,
} from './replicas/algorithms/skyServe.ts';
export { lateName, timedName } from './replicas/algorithms/sloBudget.ts';
export { answersReading, missingReading, tokensReading, waitingReading } from './replicas/algorithms/sloMore.ts';
export { decideBySlo, type SloDecisionSpec } from './replicas/algorithms/slo.ts';
export { defaultSloSettings, type SloSettings } from './replicas/algorithms/sloSettings.ts';
export * from './replicas/algorithms/sloTriggers.ts';
export type { ClassHintMemory } from './replicas/classHint/classHintMemory.ts';
export { type ClassHintSpec, classHintSpecOf } from './replicas/classHint/classHintSpec.ts';
export { hintOf, whyNoHint } from './replicas/classHint/hintOf.ts';
export { type ClassSeen, learnClasses } from './replicas/classHint/learnClasses.ts';
export { decide } from './replicas/decide.ts';
export { defaultHpaBehavior, hpaDecisionSpec } from './replicas/hpa/hpaSpec.ts';
export * from './replicas/hpa/types.ts';
export { decisionProblems } from './replicas/keda/documentProblems.ts';
export {
  defaultKedaImprovements,
  kedaDecisionSpec,
  kedaFormulaProblems,
  type KedaSpecOptions,
  resourceMetric,
  scaledJobRules,
  scaledJobTargets,
} from './replicas/keda/kedaSpec.ts';
export { type TriggerTarget, TriggerTargetError } from './replicas/keda/triggerTarget.ts';
export {
  isJobPending,
  jobsToCreate,
  type ScaledJobCounts,
  type ScaledJobResult,
  type ScaledJobRules,
  type ScaledJobTriggerReading,
} from './replicas/keda/scaledJob.ts';
export * from './replicas/keda/types.ts';
export type { PricedDecisionSpec } from './replicas/priced/pricedSpec.ts';
export { decisionSpecOf, onTimeMsOf, windowsSpecOf } from './replicas/spec.ts';
export { noFlow } from './replicas/noFlow.ts';
export * from './replicas/types.ts';
export { chooseVictims, type VictimCandidate } from './replicas/victims.ts';
export { type ApplyRules, applyRecommendation, fitToReplica } from './sizing/apply.ts';
export { type ContainerCheckpoint, fromCheckpoints, toCheckpoints } from './sizing/checkpoint.ts';
export type { HistogramCheckpoint } from './sizing/histogram.ts';
export { recommend } from './sizing/recommend.ts';
export { type SizingCode, sizingReasons, sizingSentence } from './sizing/sizingReasons.ts';
export * from './sizing/types.ts';
export { planUpdates } from './sizing/updater.ts';
export * from './sizing/updaterTypes.ts';
export { sizingSpecOf, updatePolicyOf } from './sizing/vpaSpec.ts';
