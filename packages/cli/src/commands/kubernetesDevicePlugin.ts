import { defineCommand } from './definition.ts';
import { jsonFlag, textFlag } from './flags.ts';

export interface DevicePluginFlags {
  file: readonly string[];
  namespace?: string;
  json?: boolean;
}

export const kubernetesDevicePlugin = defineCommand<DevicePluginFlags, []>({
  brief: "Print the configuration of NVIDIA's device plugin that NodePools ask for",
  description:
    'One ConfigMap with an entry for each way in which the pools share GPUs (time-slicing, MPS, MIG). Nodes that Ebb makes name\n' +
    'their entry by the label nvidia.com/device-plugin.config. Nothing is applied and no cluster is asked.\n' +
    'See docs/kubernetes-nodes.md',
  examples: [
    {
      command: 'ebb kubernetes device-plugin -f pools.yaml | kubectl apply --server-side -f -',
      does: 'into the namespace gpu-operator',
    },
    { command: 'ebb kubernetes device-plugin -f pools/ --json', does: 'its entries by pool, for a program' },
  ],
  usage: '-f FILE [--namespace NAME]',
  parameters: {
    flags: {
      file: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        placeholder: 'FILE|DIR',
        brief: 'NodePools; - is standard input',
      },
      namespace: textFlag('NAME', 'Where the device plugin runs (default: gpu-operator)'),
      json: jsonFlag,
    },
    aliases: { f: 'file', n: 'namespace' },
  },
  load: async () => (await import('../actions/kubernetesDevicePlugin.ts')).kubernetesDevicePlugin,
});
