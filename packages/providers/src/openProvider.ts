import type { Provider } from '@ebb/core';
import { nearest } from '@ebb/documents';
import type { ProviderPorts, ProviderSettings } from './contract.ts';
import { providers } from './registry.ts';

/** By the `cloud` of a Cluster. */
const providerOfCloud: Readonly<Record<string, string>> = {
  local: 'rehearsal',
  'on-prem': 'static',
  aws: 'aws',
  gcp: 'gcp',
  azure: 'azure',
};

/** Which provider rents a cluster's machines; null: this version has none for its cloud. In a rehearsal nothing is bought. */
export function providerNameOf(cluster: { type: string; cloud: string; provisioner?: string }): string | null {
  const isKarpenter = cluster.type === 'kubernetes' && cluster.provisioner === 'karpenter';
  const bought = isKarpenter ? 'karpenter' : providerOfCloud[cluster.cloud];
  const name = cluster.type === 'rehearsal' ? 'rehearsal' : bought;
  return name !== undefined && providers.some((provider) => provider.name === name) ? name : null;
}

/**
 * Opens the provider of the name. Nothing is asked of the cloud before the first call.
 * @throws Error when there is none of the name, or its settings cannot be used.
 */
export async function openProvider(name: string, settings: ProviderSettings, ports: ProviderPorts): Promise<Provider> {
  const found = providers.find((provider) => provider.name === name);
  if (found) return found.open(settings, ports);
  const names = providers.map((provider) => provider.name);
  const near = nearest(name, names);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  throw new Error(`there is no provider "${name}"; there are ${names.join(', ')}${hint}`);
}
