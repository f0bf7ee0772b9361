import { buildRouteMap } from '@stricli/core';
import type { EbbContext } from '../context.ts';
import { defineCommand } from './definition.ts';
import { jsonFlag } from './flags.ts';

export interface ManifestsFlags {
  namespace?: string;
  image?: string;
  storageSize?: string;
  storageClass?: string;
  readNamespace?: string[];
  networkPolicy?: boolean;
  kinds?: boolean;
  json?: boolean;
}

const text = (placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse: String, optional: true, placeholder, brief }) as const;

const manifests = defineCommand<ManifestsFlags, []>({
  brief: 'Print what a cluster needs for Ebb, for kubectl apply',
  description:
    'Definitions of the kinds, a service account with exactly the rights that the operator needs, its Deployment and\n' +
    'volume. Nothing is applied and no cluster is asked.',
  examples: [
    { command: 'ebb kubernetes manifests | kubectl apply --server-side -f -', does: 'install into ebb-system' },
    {
      command: 'ebb kubernetes manifests --image registry.example/ebb:0.1.0 --read-namespace shop > ebb.yaml',
      does: 'your image, and triggers may use the Secrets of the namespace shop',
    },
  ],
  parameters: {
    flags: {
      namespace: text('NAME', 'Namespace of the operator (default: ebb-system)'),
      image: text('REFERENCE', 'Image that you built with the Containerfile (default: localhost/ebb and the version)'),
      storageSize: text('SIZE', 'Volume of the embedded store (default: 2Gi)'),
      storageClass: text('NAME', "Class of that volume (default: the cluster's)"),
      readNamespace: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'NAME',
        brief: 'Another namespace whose Secrets and ConfigMaps triggers may be read from',
      },
      networkPolicy: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Add the example of a NetworkPolicy',
      },
      kinds: { kind: 'boolean', optional: true, brief: 'Add the definitions of the kinds (default: yes)' },
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
  },
  load: async () => (await import('../actions/kubernetesManifests.ts')).kubernetesManifests,
});

export const kubernetesCommand = buildRouteMap<'manifests', EbbContext>({
  routes: { manifests },
  docs: { brief: 'What a Kubernetes cluster needs for Ebb' },
});
