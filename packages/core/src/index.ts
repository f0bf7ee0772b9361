export { allocate } from './allocate/allocate.ts';
export * from './allocate/types.ts';
export { type Cost, costOf, costOfKeeping, peakReplicas } from './cost/cost.ts';
export { createDispatcher } from './dispatch/dispatcher.ts';
export * from './dispatch/types.ts';
export * from './explain/reasons.ts';
export { type ReasonEntry, reasonTable } from './explain/reasonTable.ts';
export { decisionSummary, reasonSentence } from './explain/sentences.ts';
export { whatWouldChange } from './explain/whatIf.ts';
export type { WhatIf } from './explain/whatIfSearch.ts';
export { whatIfSentence } from './explain/whatIfSentences.ts';
export { type CompiledFormula, compileFormula, evaluate as evaluateCompiled } from './formula/compile.ts';
export { FormulaError, type FormulaProblem } from './formula/problem.ts';
export { evaluateFormula } from './formula/evaluate.ts';
export * from './ports/link.ts';
export * from './ports/ports.ts';
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
export { decideBySlo, defaultSloSettings, type SloDecisionSpec, type SloSettings } from './replicas/algorithms/slo.ts';
export * from './replicas/algorithms/sloTriggers.ts';
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
export { decisionSpecOf, windowsSpecOf } from './replicas/spec.ts';
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
