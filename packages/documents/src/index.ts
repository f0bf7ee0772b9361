export { clarifaiAnnotations } from './clarifai/converted.ts';
export { withProgram } from './clarifai/program.ts';
export { type ClusterDocument, type ClusterInput, clusterKind } from './cluster/cluster.ts';
export { type ClusterLimits, type ClusterSpec, type MonthBudget, resolveCluster } from './cluster/resolve.ts';
export type * from './costReport.ts';
export { defaultHpaBehaviorSpec, type HpaBehaviorSpec, type HpaRulesSpec } from './hpa/behavior.ts';
export { type HpaDocument, type HpaInput, hpaKind } from './hpa/hpa.ts';
export type { HpaMetricDocumentSpec, HpaSelectorSpec, HpaTargetSpec } from './hpa/metrics.ts';
export { type HpaSpec, resolveHpa } from './hpa/resolve.ts';
export type { HttpHeaderSpec, HttpMetricSpec, HttpTimeoutsSpec, ServiceSpec } from './httpAddOn/resolved.ts';
export {
  type HttpScaledObjectDocument,
  type HttpScaledObjectInput,
  httpScaledObjectKind,
} from './httpAddOn/httpScaledObject.ts';
export {
  type InterceptorRouteDocument,
  type InterceptorRouteInput,
  interceptorRouteKind,
} from './httpAddOn/interceptorRoute.ts';
export { type HttpScaledObjectSpec, resolveHttpScaledObject } from './httpAddOn/resolveHttpScaledObject.ts';
export {
  type InterceptorRouteSpec,
  type InterceptorRuleSpec,
  resolveInterceptorRoute,
  type StaticResponseSpec,
} from './httpAddOn/resolveInterceptorRoute.ts';
export { importClusterAutoscaler } from './imports/clusterAutoscaler/importClusterAutoscaler.ts';
export type { Imported, ImportedDocument, ImportedField, ImportSource } from './imports/imported.ts';
export { importKarpenter } from './imports/karpenter/importKarpenter.ts';
export { InvalidDocumentError } from './invalidDocument.ts';
export { type KedaPauseSpec, kedaAnnotations } from './keda/annotations.ts';
export type { KedaModifiersSpec } from './keda/modifiers.ts';
export { resolveScaledJob, type ScaledJobSpec } from './keda/resolveScaledJob.ts';
export { resolveScaledObject, type ScaledObjectSpec } from './keda/resolveScaledObject.ts';
export {
  type KeyReference,
  resolveTriggerAuthentication,
  type TriggerAuthenticationSpec,
} from './keda/resolveTriggerAuthentication.ts';
export { type ScaledJobDocument, type ScaledJobInput, scaledJobKind } from './keda/scaledJob.ts';
export { type ScaledObjectDocument, type ScaledObjectInput, scaledObjectKind } from './keda/scaledObject.ts';
export { type JobTemplate, type JobVariable, type JobVariables, resolveJobTemplate } from './keda/jobTemplate.ts';
export type { KedaTriggerSpec } from './keda/trigger.ts';
export {
  clusterTriggerAuthenticationKind,
  type TriggerAuthenticationDocument,
  triggerAuthenticationKind,
} from './keda/triggerAuthentication.ts';
export { apiVersion, type KindDefinition, type PathPattern } from './kind.ts';
export { type AnyKind, type DocumentOf, isKindName, type KindName, kindNames, kindOf, kinds } from './kinds.ts';
export {
  type ConfigMapDocument,
  type ConfigMapInput,
  type ConfigMapSpec,
  configMapKind,
  resolveConfigMap,
} from './kubernetes/configMap.ts';
export {
  resolveSecret,
  type SecretDocument,
  type SecretInput,
  type SecretSpec,
  secretKind,
} from './kubernetes/secret.ts';
export { nearest } from './nearest.ts';
export { type NodePoolDocument, type NodePoolInput, nodePoolKind } from './nodePool/nodePool.ts';
export type { GpuSharingSpec } from './nodePool/gpuSharing.ts';
export type { PriceFactorSpec } from './nodePool/priceFactors.ts';
export type { AwsPoolSpec } from './nodePool/providers/aws.ts';
export type { MachineSpec } from './nodePool/providers/static.ts';
export type { AzurePoolSpec } from './nodePool/providers/azure.ts';
export type { GcpPoolSpec } from './nodePool/providers/gcp.ts';
export type { KarpenterPoolSpec } from './nodePool/providers/karpenter.ts';
export type { PoolSpotSpec } from './nodePool/spot.ts';
export type { StartStagesSpec } from './nodePool/startStages.ts';
export type { RequirementSpec } from './nodes/requirement.ts';
export type { TolerationSpec } from './nodes/taint.ts';
export type { PlacementSpec } from './workload/placement.ts';
export { clustersOfWorkload, placementRefusal, type Places, placesOf } from './workload/placementRefusal.ts';
export { placementProblems } from './parse/placementProblems.ts';
export { pricedTuningNames } from './workload/policy.ts';
export { type NodePoolSpec, resolveNodePool } from './nodePool/resolve.ts';
export * from './objectKey.ts';
export { checkBatch } from './parse/checkBatch.ts';
export { type ParsedDocument, type ParseOptions, type ParseResult, parseDocuments } from './parse/parseDocuments.ts';
export { type Place, pathText } from './parse/place.ts';
export * from './problem.ts';
export { type ProblemCode, problemCodes } from './problemCodes.ts';
export { redactDocument, redactedText } from './redactDocument.ts';
export { generatedFiles } from './reference/generatedFiles.ts';
export { type JsonSchema, jsonSchemaOf } from './reference/jsonSchema.ts';
export { renderReferencePage } from './reference/page.ts';
export { markdownTable } from './reference/table.ts';
export * from './status.ts';
export { formatDuration, parseDuration } from './units/duration.ts';
export { formatMoneyMicro, parseMoneyMicro } from './units/money.ts';
export type { Parsed } from './units/parsed.ts';
export { formatBytes, formatMilli, parseBytes, parseMilli } from './units/quantity.ts';
export { resolveVpa, type VpaAmounts, type VpaContainerPolicy, type VpaSpec } from './vpa/resolve.ts';
export { type VpaDocument, type VpaInput, vpaKind } from './vpa/vpa.ts';
export { migAmounts, migProfileOfResource } from './workload/gpuProfile.ts';
export { folderOf, joinPath } from './workload/joinPath.ts';
export { type ResolveOptions, resolveWorkload } from './workload/resolve.ts';
export * from './workload/resolved.ts';
export * from './workload/llmServers.ts';
export * from './workload/resolvedPolicy.ts';
export { routeText } from './workload/route.ts';
export type { SizingApplySpec, SizingBounds } from './workload/sizing.ts';
export { revisionOf, templateHash } from './workload/templateHash.ts';
export { type WorkloadDocument, type WorkloadInput, workloadKind } from './workload/workload.ts';
export { yamlText, yamlValues } from './yamlText.ts';
export { shortNames } from './shortNames.ts';
export { customResourceDefinition, type OwnKindName, ownKindNames } from './crd/crd.ts';
export {
  type ClusterResourceStatus,
  clusterResourceStatus,
  type NodePoolResourceStatus,
  nodePoolResourceStatus,
  type WorkloadInKubernetes,
  type WorkloadResourceStatus,
  workloadResourceStatus,
} from './crd/resourceStatus.ts';
