export type {
  ProviderBook,
  ProviderDefinition,
  ProviderOpener,
  ProviderPorts,
  ProviderSettings,
  SecretName,
} from './contract.ts';
export { openProvider, providerNameOf } from './openProvider.ts';
export { providers } from './registry.ts';
export { ownMachines, ownOfferings } from './static/offerings.ts';
