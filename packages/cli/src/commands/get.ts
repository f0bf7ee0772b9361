import { completeKind, completeWorkload } from '../completion/candidates.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, type NamespacedFlags, namespaceFlag } from './flags.ts';

export const outputs = ['table', 'wide', 'json', 'yaml'] as const;
export type Output = (typeof outputs)[number];
export type GetFlags = NamespacedFlags & { output?: Output; allNamespaces?: boolean };

export const get = defineCommand({
  brief: 'List objects, or show one',
  description:
    'Kinds may be short: wl, workload and workloads are the same. JSON and YAML give the objects as the API has them,\n' +
    'with their status; one object when a name was given, else a list.',
  examples: [
    { command: 'ebb get workloads', does: 'a table of all workloads' },
    { command: 'ebb get wl upscaler -o yaml', does: 'one workload in full, as YAML' },
    { command: 'ebb get nodes -o wide', does: 'rented machines, and why each is there' },
    { command: "ebb get wl --json | jq '.items[].status.replicas.ready'", does: 'for a script' },
  ],
  parameters: {
    flags: {
      output: { kind: 'enum', values: outputs, optional: true, brief: 'How to print (default: table)' },
      namespace: namespaceFlag,
      allNamespaces: { kind: 'boolean', optional: true, withNegated: false, brief: 'Of every namespace' },
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { o: 'output', n: 'namespace', A: 'allNamespaces' },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: String,
          placeholder: 'KIND',
          brief: 'workloads, nodes, nodepools or clusters',
          proposeCompletions: completeKind,
        },
        {
          parse: String,
          optional: true,
          placeholder: 'NAME',
          brief: 'Only this one',
          proposeCompletions: completeWorkload,
        },
      ],
    },
  },
  load: async () => (await import('../actions/get.ts')).get,
});
