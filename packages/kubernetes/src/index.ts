export type { ConnectGateway, GatewayCall, GatewayConnection } from './gateways/connection.ts';
export type { ExternalMetricsSettings } from './metrics/externalMetricsApi.ts';
export { type GatewayPorts } from './gateways/gateways.ts';
export type { ServedState } from './gateways/serveServices.ts';
export { installFiles } from './manifests/generatedFiles.ts';
export { type InstallChoice, installManifests } from './manifests/install.ts';
export {
  defaultSettings,
  externalMetricsPort,
  externalMetricsService,
  gatewayName,
  type InstallSettings,
  installVersion,
  type Manifest,
} from './manifests/settings.ts';
export {
  clusterPermissions,
  credentialPermissions,
  nodePermissions,
  ownPermissions,
  type Permission,
} from './manifests/permissions.ts';
export { openCluster, type OpenedCluster } from './client/kubeConfig.ts';
export { type Operator, type OperatorOptions, startOperator } from './operator/operator.ts';
export type { Comparison } from './advice/comparison.ts';
export { keptHpa, modeAnnotation, pausedAnnotation, takenOverAnnotation } from './advice/mode.ts';
export { type Advice, readAdvice } from './advice/readAdvice.ts';
export { ApiServerError, KubernetesClient } from './client/client.ts';
export {
  type HandedKind,
  type HandOver,
  type HandOverOptions,
  HandOverRefused,
  type HandOverStep,
} from './migration/handOver.ts';
export { giveBack, takeOver } from './migration/takeOver.ts';
export type { ClusterNodeClaims } from './nodes/clusterNodeClaims.ts';
export { devicePluginConfig } from './nodes/devicePlugin.ts';
export type { OperatorNodes } from './nodes/leadNodes.ts';
export {
  isClusterAutoscaler,
  type ReadCluster,
  readCluster,
  type ReadObject,
  templateOf,
} from './migration/readCluster.ts';
export { type ClusterCheck, diagnose } from './install/doctor/doctor.ts';
export { executeInstall, type Waiting } from './install/execute.ts';
export { refText } from './install/names.ts';
export { type ObjectAction, planInstall, readInstalled, settingsForUpgrade } from './install/plan.ts';
export type { Readiness } from './install/readiness.ts';
export { InstallRefusal } from './install/refusal.ts';
export { InstallServer } from './install/server.ts';
export { refuseTakenOver } from './install/takenOver.ts';
export { executeUninstall, lostText, planUninstall } from './install/uninstall.ts';
export { waitForOperator } from './install/waitReady.ts';
