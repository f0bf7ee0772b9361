export type {
  ProviderBook,
  ProviderDefinition,
  ProviderOpener,
  ProviderPorts,
  ProviderSettings,
  SecretName,
} from './contract.ts';
export type { ApiObject, NodeClaimEvent, NodeClaims } from './karpenter/nodeClaims.ts';
export { openProvider, providerNameOf } from './openProvider.ts';
export { providers } from './registry.ts';
export { ownMachines, ownOfferings } from './static/offerings.ts';
