import { buildRouteMap } from '@stricli/core';
import type { EbbContext } from '../context.ts';
import { fileFlag } from './apply.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag } from './flags.ts';

export interface NodeFlags {
  file: readonly string[];
  data?: string;
  json?: boolean;
}
export type NodeEndFlags = NodeFlags & { yes?: boolean };

const list = defineCommand<NodeFlags, []>({
  brief: 'List the machines that providers have for your clusters',
  description:
    'Asks the providers of the Clusters among the documents; machines that carry the mark of a cluster and no id are shown by\n' +
    "their cloud's name. Needs no running Ebb. (`ebb get nodes` shows what a running Ebb knows of its own.)",
  examples: [
    { command: 'ebb node list -f documents/', does: 'all machines of the Clusters' },
    { command: "ebb node list -f documents/ --json | jq '.items[].id'", does: 'for a script' },
  ],
  parameters: {
    flags: { file: fileFlag, data: dataFlag, json: jsonFlag },
    aliases: { f: 'file' },
  },
  load: async () => (await import('../actions/node.ts')).nodeList,
});

const end = defineCommand<NodeEndFlags, string[]>({
  brief: 'End machines by hand',
  description:
    'Ends machines by id, or by the name that the cloud has for them. What runs on them is not moved. A running Ebb that\n' +
    'needs a machine rents another one.',
  examples: [
    { command: 'ebb node end cloud-gpu-3f9a11c2 -f documents/', does: 'one machine, after asking' },
    {
      command: 'ebb node end gce://vision-prod/europe-west4-a/by-hand -f documents/ --yes',
      does: 'one that Ebb does not know',
    },
  ],
  usage: 'NODE... --file FILE... [--yes] [--data DIR] [--json]',
  parameters: {
    flags: {
      file: fileFlag,
      yes: { kind: 'boolean', optional: true, withNegated: false, brief: 'Do not ask before ending' },
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { f: 'file', y: 'yes' },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: { parse: String, placeholder: 'NODE', brief: "Id of a machine, or the cloud's name for it" },
    },
  },
  load: async () => (await import('../actions/node.ts')).nodeEnd,
});

export const nodeCommand = buildRouteMap<'list' | 'end', EbbContext>({
  routes: { list, end },
  aliases: { ls: 'list' },
  docs: { brief: 'List and end rented machines by hand' },
});
