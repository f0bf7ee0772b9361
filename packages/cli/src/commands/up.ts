import { defineCommand } from './definition.ts';
import { type CommonFlags, dataFlag, jsonFlag, portFlag } from './flags.ts';

export type UpFlags = CommonFlags & {
  detach?: boolean;
  apiPort?: number;
  gatewayPort?: number;
  page?: boolean;
  demo?: boolean;
  catalogue?: string;
};

export const up = defineCommand({
  brief: 'Start Ebb here, apply documents, and watch',
  description:
    'Starts the control plane, the gateway and the agent on this machine, applies the documents of the files and folders\n' +
    'given, and stays in front with a live view (plain lines where the output is no terminal). Ctrl-C ends the replicas\n' +
    'and everything that was started, and says so; a second Ctrl-C does not wait. Documents stay in the data folder:\n' +
    'the next `ebb up` goes on with them.',
  examples: [
    { command: 'ebb up examples/upscaler/workload.yaml', does: 'start with one workload and watch it' },
    { command: 'ebb up workloads/ --detach', does: 'every document of a folder, in the background' },
    { command: 'ebb up --gateway-port 9000 --data /var/lib/ebb', does: 'what was there before, on another port' },
  ],
  usage:
    '[FILE]... [--detach] [--demo] [--data DIR] [--api-port PORT] [--gateway-port PORT] [--catalogue FILE] [--no-page] [--json]',
  parameters: {
    flags: {
      detach: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Return once it serves; `ebb down` ends it',
      },
      data: dataFlag,
      apiPort: portFlag('Port of the API and the live page (default 7070; 0: any free one)'),
      gatewayPort: portFlag('Port that requests come in on (default 8080; 0: any free one)'),
      page: {
        kind: 'boolean',
        optional: true,
        brief: 'Offer the live page at / of the API port (default: yes)',
      },
      catalogue: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'FILE',
        brief: 'Prices of machines, CSV or JSON (default: the built-in list)',
      },
      demo: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Send a little real traffic, sum up, and end; needs the upscaler example',
      },
      json: jsonFlag,
    },
    aliases: { d: 'detach' },
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        placeholder: 'FILE',
        brief: 'YAML or JSON documents, folders of them, or - for stdin',
      },
    },
  },
  load: async () => (await import('../actions/up.ts')).up,
});
