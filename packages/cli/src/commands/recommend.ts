import { completeWorkload } from '../completion/candidates.ts';
import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, type NamespacedFlags, namespaceFlag } from './flags.ts';
import { type MarketFlags, placeFlags, priceFlags } from './marketFlags.ts';

export type RecommendFlags = NamespacedFlags & MarketFlags & { replicas?: number };

export const recommend = defineCommand({
  brief: 'Say what replicas should ask for, and on which machines',
  description:
    'From what replicas used so far: a target with its bounds for each class, how it came about, and what to paste into\n' +
    'the document. Use is measured every ten seconds while a replica runs; an hour of it is needed, a day is better. Where a\n' +
    'Cluster or the flags name a cloud and a region: the cheapest machines for the replicas, now and then. `sizing: { apply:\n' +
    'nextRollout }` in the Workload has the next roll-out take it. See docs/sizing.md',
  examples: [
    { command: 'ebb recommend upscaler', does: 'one workload, class by class' },
    { command: 'ebb recommend', does: 'every workload' },
    {
      command: 'ebb recommend upscaler --cloud aws --region us-east-1 --replicas 12',
      does: 'and the machines that twelve replicas would need',
    },
    { command: "ebb recommend upscaler --json | jq '.classes[].suggested'", does: 'for a script' },
  ],
  parameters: {
    flags: {
      namespace: namespaceFlag,
      ...placeFlags,
      replicas: {
        kind: 'parsed',
        parse: parseReplicas,
        optional: true,
        placeholder: 'N',
        brief: 'How many replicas the machines are to hold (default: as many as are wanted now)',
      },
      ...priceFlags,
      data: dataFlag,
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          parse: String,
          optional: true,
          placeholder: 'WORKLOAD',
          brief: 'Name of the workload (default: all)',
          proposeCompletions: completeWorkload,
        },
      ],
    },
  },
  load: async () => (await import('../actions/recommend.ts')).recommend,
});

function parseReplicas(input: string): number {
  const replicas = Number(input);
  if (!/^[1-9]\d{0,4}$/.test(input)) throw new Error(`expected a whole number from 1 to 99999, not "${input}"`);
  return replicas;
}
