export { installFiles } from './manifests/generatedFiles.ts';
export { type InstallChoice, installManifests } from './manifests/install.ts';
export { defaultSettings, type InstallSettings, type Manifest } from './manifests/settings.ts';
export {
  clusterPermissions,
  credentialPermissions,
  ownPermissions,
  type Permission,
} from './manifests/permissions.ts';
export { openCluster, type OpenedCluster } from './client/kubeConfig.ts';
export { type Operator, type OperatorOptions, startOperator } from './operator/operator.ts';
