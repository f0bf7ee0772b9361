export { type ApiErrorCode, apiErrors, errorPage } from './api/errors.ts';
export { type ClusterOperator, type ClusterOperatorOptions, startClusterOperator } from './clusterOperator.ts';
export { type ControlPlane, type ControlPlaneOptions, startControlPlane, type StopOptions } from './controlPlane.ts';
export { discoverGpus } from '@ebb/drivers';
export { exitCodes, type ExitName, StartError } from './exitCodes.ts';
export { defaultApiPort, defaultGatewayPort } from './flags.ts';
export type { Log, LogLevel } from './log.ts';
export { NewerDatabaseError } from './store/sqlite/database.ts';
export { openSqliteStore } from './store/sqlite/openSqliteStore.ts';
