import { defineCommand } from './definition.ts';
import { jsonFlag, parseCount, textFlag } from './flags.ts';
import { type MarketFlags, priceFlags } from './marketFlags.ts';

export interface ListInstancesFlags extends MarketFlags {
  instance?: string;
  gpu?: string;
  minGpus?: number;
  minGpuMem?: string;
  minCpu?: string;
  minMemory?: string;
  arch?: 'amd64' | 'arm64';
  capacity?: 'on-demand' | 'spot' | 'reserved';
  limit?: number;
  json?: boolean;
}

export const listInstances = defineCommand<ListInstancesFlags, []>({
  brief: 'List machines that can be rented, cheapest first',
  description:
    'From the built-in list of prices (AWS, GCP, Azure; list prices in USD an hour), or from a file in its place. A fixed\n' +
    'slice of a card counts as its part of one. Needs no running Ebb.',
  examples: [
    { command: 'ebb list-instances --gpu L4 --min-gpus 1', does: 'every machine with an L4, cheapest first' },
    {
      command: 'ebb list-instances --cloud aws --region us-east-1 --min-gpu-mem 48Gi --capacity on-demand',
      does: 'GPUs of 48 GiB and more in one region',
    },
    {
      command: "ebb list-instances --gpu T4 --factor 'aws/*/*/on-demand=72%' --json",
      does: 'with what a savings plan leaves of the price',
    },
    { command: 'ebb list-instances --catalogue prices.csv', does: 'your own prices' },
  ],
  parameters: {
    flags: {
      cloud: textFlag('NAME', 'aws, gcp or azure, or a cloud of your own file'),
      region: textFlag('NAME', "The cloud's name of the region"),
      instance: textFlag('NAME', 'Name of the machine; * stands for any text (g5.*)'),
      gpu: textFlag('MODEL', "Model of the GPU, or how it begins (a100); case and dashes don't matter"),
      minGpus: {
        kind: 'parsed',
        parse: parseCards,
        optional: true,
        placeholder: 'COUNT',
        brief: 'At least so many cards (0.25: a quarter of one is enough)',
      },
      minGpuMem: textFlag('SIZE', 'Memory of each GPU (24Gi)'),
      minCpu: textFlag('COUNT', 'Processors (4)'),
      minMemory: textFlag('SIZE', 'Memory (32Gi)'),
      arch: { kind: 'enum', values: ['amd64', 'arm64'], optional: true, brief: 'Architecture of the processors' },
      capacity: {
        kind: 'enum',
        values: ['on-demand', 'spot', 'reserved'],
        optional: true,
        brief: 'How it is rented (default: any)',
      },
      catalogue: priceFlags.catalogue,
      factor: {
        ...priceFlags.factor,
        brief: 'What is left of a price after a discount: aws/*/*/on-demand=72%, aws/*/g5.*=72/100; several multiply',
      },
      limit: {
        kind: 'parsed',
        parse: parseCount,
        optional: true,
        placeholder: 'COUNT',
        brief: 'Rows (default 30; 0: all)',
      },
      json: jsonFlag,
    },
  },
  load: async () => (await import('../actions/listInstances.ts')).listInstances,
});

function parseCards(input: string): number {
  const count = Number(input);
  if (!/^\d+(\.\d+)?$/.test(input) || count > 1024) throw new Error(`expected a number of cards, not "${input}"`);
  return count;
}
