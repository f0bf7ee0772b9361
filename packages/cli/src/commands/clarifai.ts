import { buildRouteMap } from '@stricli/core';
import { completeWorkload } from '../completion/candidates.ts';
import type { EbbContext } from '../context.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, type NamespacedFlags, namespaceFlag } from './flags.ts';

export type CreateFlags = NamespacedFlags & { config: string; dryRun?: boolean };
export type CreateDeploymentFlags = CreateFlags & { command?: string };
export type ListFlags = NamespacedFlags & { allNamespaces?: boolean };
export type ListNodepoolsFlags = ListFlags & { computeClusterId?: string; compute_cluster_id?: string };

const configFlag = {
  kind: 'parsed',
  parse: String,
  placeholder: 'FILE',
  brief: "A file of Clarifai's, unchanged, or a document of Ebb; - for stdin",
} as const;
const dryRunFlag = {
  kind: 'boolean',
  optional: true,
  withNegated: false,
  brief: 'Say what would change, change nothing',
} as const;
const createFlags = {
  config: configFlag,
  dryRun: dryRunFlag,
  namespace: namespaceFlag,
  data: dataFlag,
  json: jsonFlag,
} as const;
const listFlags = {
  namespace: namespaceFlag,
  allNamespaces: { kind: 'boolean', optional: true, withNegated: false, brief: 'Of every namespace' },
  data: dataFlag,
  json: jsonFlag,
} as const;
const deleteFlags = { namespace: namespaceFlag, data: dataFlag, json: jsonFlag } as const;
const listAliases = { n: 'namespace', A: 'allNamespaces' } as const;

function word(placeholder: string, brief: string) {
  return { parse: String, placeholder, brief } as const;
}
function optionalWord(placeholder: string, brief: string) {
  return { ...word(placeholder, brief), optional: true } as const;
}

const thin = 'The same as `ebb apply`, `ebb get` and `ebb delete` with the words of Clarifai.';
const aliases = { c: 'create', ls: 'list', rm: 'delete' } as const;

export const computeClusterCommand = buildRouteMap<'create' | 'list' | 'delete', EbbContext>({
  routes: {
    create: defineCommand({
      brief: 'Create or change a Cluster from a file',
      description: `Makes a Cluster of the compute_cluster of the file. ${thin}`,
      examples: [
        { command: 'ebb computecluster create vision-eu --config cluster.yaml', does: 'as with clarifai' },
        { command: 'ebb computecluster create --config cluster.yaml --dry-run', does: 'say what would change' },
      ],
      parameters: {
        flags: createFlags,
        aliases: { n: 'namespace' },
        positional: { kind: 'tuple', parameters: [optionalWord('ID', 'Its name, in place of the one of the file')] },
      },
      load: async () => (await import('../actions/clarifai.ts')).createCluster,
    }),
    list: defineCommand({
      brief: 'List Clusters',
      description: `A table, or JSON. ${thin}`,
      examples: [
        { command: 'ebb computecluster list', does: 'all of the namespace' },
        { command: 'ebb computecluster list --json', does: 'for a script' },
      ],
      parameters: { flags: listFlags, aliases: listAliases },
      load: async () => (await import('../actions/clarifai.ts')).listClusters,
    }),
    delete: defineCommand({
      brief: 'Delete a Cluster',
      description: `What runs there goes on. ${thin}`,
      examples: [
        { command: 'ebb computecluster delete vision-eu', does: 'one Cluster' },
        { command: 'ebb computecluster delete vision-eu --json', does: 'for a script' },
      ],
      parameters: {
        flags: deleteFlags,
        aliases: { n: 'namespace' },
        positional: { kind: 'tuple', parameters: [word('ID', 'Name of the Cluster')] },
      },
      load: async () => (await import('../actions/clarifai.ts')).deleteCluster,
    }),
  },
  aliases,
  docs: { brief: "Clusters with Clarifai's words: create, list, delete" },
});

export const nodepoolCommand = buildRouteMap<'create' | 'list' | 'delete', EbbContext>({
  routes: {
    create: defineCommand({
      brief: 'Create or change a NodePool from a file',
      description: `Makes a NodePool of the nodepool of the file. ${thin}`,
      examples: [
        { command: 'ebb nodepool create vision-eu gpu --config nodepool.yaml', does: 'as with clarifai' },
        { command: 'ebb nodepool create --config nodepool.yaml --dry-run', does: 'say what would change' },
      ],
      parameters: {
        flags: createFlags,
        aliases: { n: 'namespace' },
        positional: {
          kind: 'tuple',
          parameters: [
            optionalWord('COMPUTE_CLUSTER_ID', 'Its cluster, in place of the one of the file'),
            optionalWord('NODEPOOL_ID', 'Its name, in place of the one of the file'),
          ],
        },
      },
      load: async () => (await import('../actions/clarifai.ts')).createNodepool,
    }),
    list: defineCommand({
      brief: 'List NodePools',
      description: `A table, or JSON. ${thin}`,
      examples: [
        { command: 'ebb nodepool list', does: 'those of all clusters' },
        { command: 'ebb nodepool list --compute-cluster-id vision-eu', does: 'those of one' },
      ],
      parameters: {
        flags: {
          ...listFlags,
          computeClusterId: {
            kind: 'parsed',
            parse: String,
            optional: true,
            placeholder: 'ID',
            brief: 'Only those of this cluster',
          },
          // As Clarifai's own command line writes it.
          compute_cluster_id: { kind: 'parsed', parse: String, optional: true, hidden: true, brief: 'The same' },
        },
        aliases: listAliases,
      },
      load: async () => (await import('../actions/clarifai.ts')).listNodepools,
    }),
    delete: defineCommand({
      brief: 'Delete a NodePool',
      description: `Its nodes stay as they are. ${thin}`,
      examples: [
        { command: 'ebb nodepool delete vision-eu gpu', does: 'one NodePool' },
        { command: 'ebb nodepool delete vision-eu gpu --json', does: 'for a script' },
      ],
      parameters: {
        flags: deleteFlags,
        aliases: { n: 'namespace' },
        positional: {
          kind: 'tuple',
          parameters: [word('COMPUTE_CLUSTER_ID', 'Its cluster'), word('NODEPOOL_ID', 'Name of the NodePool')],
        },
      },
      load: async () => (await import('../actions/clarifai.ts')).deleteNodepool,
    }),
  },
  aliases,
  docs: { brief: "NodePools with Clarifai's words: create, list, delete" },
});

export const deploymentCommand = buildRouteMap<'create' | 'list' | 'delete', EbbContext>({
  routes: {
    create: defineCommand({
      brief: 'Create or change a Workload from a file',
      description:
        'Makes a Workload of the deployment of the file. Ebb runs programs and keeps no models: --command names the one that\n' +
        `serves this model, and without it the Workload is kept at zero. ${thin}`,
      examples: [
        { command: 'ebb deployment create gpu detector --config deployment.yaml', does: 'as with clarifai' },
        {
          command: 'ebb deployment create --config deployment.yaml --command "python3 serve.py --half"',
          does: 'and say what runs',
        },
      ],
      parameters: {
        flags: {
          ...createFlags,
          command: {
            kind: 'parsed',
            parse: String,
            optional: true,
            placeholder: 'TEXT',
            brief: 'Program and arguments with spaces between, run without a shell; the port is told as $PORT',
          },
        },
        aliases: { n: 'namespace' },
        positional: {
          kind: 'tuple',
          parameters: [
            optionalWord('NODEPOOL_ID', 'The pool it runs in, in place of those of the file'),
            optionalWord('DEPLOYMENT_ID', 'Its name, in place of the one of the file'),
          ],
        },
      },
      load: async () => (await import('../actions/clarifai.ts')).createDeployment,
    }),
    list: defineCommand({
      brief: 'List Workloads with their pools and models',
      description: `A table, or JSON. ${thin}`,
      examples: [
        { command: 'ebb deployment list', does: 'all of them' },
        { command: 'ebb deployment list gpu', does: 'those that may run in one pool' },
      ],
      parameters: {
        flags: listFlags,
        aliases: listAliases,
        positional: {
          kind: 'tuple',
          parameters: [optionalWord('NODEPOOL_ID', 'Only those that may run in this pool')],
        },
      },
      load: async () => (await import('../actions/clarifai.ts')).listDeployments,
    }),
    delete: defineCommand({
      brief: 'Delete a Workload; it is drained and ended first',
      description: `Requests that run are waited for. ${thin}`,
      examples: [
        { command: 'ebb deployment delete detector', does: 'one Workload' },
        { command: 'ebb deployment delete detector --json', does: 'for a script' },
      ],
      parameters: {
        flags: deleteFlags,
        aliases: { n: 'namespace' },
        positional: {
          kind: 'tuple',
          parameters: [{ ...word('DEPLOYMENT_ID', 'Name of the Workload'), proposeCompletions: completeWorkload }],
        },
      },
      load: async () => (await import('../actions/clarifai.ts')).deleteDeployment,
    }),
  },
  aliases,
  docs: { brief: "Workloads with Clarifai's words: create, list, delete" },
});
