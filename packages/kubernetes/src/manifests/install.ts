import { customResourceDefinition, ownKindNames } from '@ebb/documents';
import { externalMetricsManifests, externalMetricsNetworkPolicy } from './externalMetrics.ts';
import { gatewayManifests, gatewayNetworkPolicy } from './gateway.ts';
import { partManifests } from './optionalParts.ts';
import { networkPolicy, operatorManifests } from './operator.ts';
import { accessManifests } from './rbac.ts';
import { defaultSettings, installLabels, type InstallSettings, isAdviceOnly, type Manifest } from './settings.ts';

export interface InstallChoice extends Partial<InstallSettings> {
  /** Adds the example of a NetworkPolicy (default: no). */
  readonly networkPolicy?: boolean;
  /** Adds the gateways, which hold and balance requests (default: yes, but never where Ebb only advises). */
  readonly gateway?: boolean;
  /** Leaves the definitions of the kinds out, where somebody else installs them. */
  readonly withoutKinds?: boolean;
}

/** Everything that `kubectl apply -f` needs for Ebb in a cluster, in the order in which it can be applied. */
export function installManifests(choice: InstallChoice = {}): Manifest[] {
  const { gateway: withGateway = true, networkPolicy: withPolicy = false, withoutKinds = false, ...chosen } = choice;
  const settings: InstallSettings = { ...defaultSettings, ...chosen };
  const gateway = withGateway && !isAdviceOnly(settings);
  const withExternal = settings.externalMetrics === 'true';
  return [
    namespaceManifest(settings),
    ...(withoutKinds ? [] : ownKindNames.map(customResourceDefinition)),
    ...accessManifests(settings),
    ...operatorManifests(settings),
    ...(withExternal ? externalMetricsManifests(settings.namespace) : []),
    ...partManifests(settings),
    ...(gateway ? gatewayManifests(settings) : []),
    ...(withPolicy && withExternal ? [externalMetricsNetworkPolicy(settings.namespace)] : []),
    ...(withPolicy ? [networkPolicy(settings), ...(gateway ? [gatewayNetworkPolicy(settings)] : [])] : []),
  ];
}

function namespaceManifest({ namespace }: InstallSettings): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      // The strictest of Kubernetes' own standards: what is installed keeps it.
      labels: { ...installLabels, 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  };
}
