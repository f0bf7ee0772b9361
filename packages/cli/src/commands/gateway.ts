import { defineCommand } from './definition.ts';
import { jsonFlag, portFlag, textFlag } from './flags.ts';

export interface GatewayFlags {
  host?: string;
  port?: number;
  linkPort?: number;
  linkSecret?: string;
  healthPort?: number;
  name?: string;
  notice?: string;
  grace?: string;
  json?: boolean;
}

export const gateway = defineCommand<GatewayFlags, []>({
  brief: 'Hold and balance requests in a Kubernetes cluster',
  description:
    'What a gateway pod runs. It knows no cluster: an operator connects to its link and tells it routes and replicas, and\n' +
    'it goes on with those while no operator is there. On SIGTERM it says that it is not ready, takes requests for the time of\n' +
    'notice, and ends when what it holds and carries has ended. One JSON line for each thing that happens goes to stderr.',
  examples: [
    {
      command: 'ebb gateway --link-secret /run/ebb/link/secret',
      does: 'in a pod: on its own address, known by its name',
    },
    {
      command: 'ebb gateway --link-secret ./secret --notice 0s --grace 30s',
      does: 'on this machine, ended half a minute after it is told to at the latest',
    },
  ],
  parameters: {
    flags: {
      host: textFlag('ADDRESS', 'Address of all its ports (default: $POD_IP, else 127.0.0.1)'),
      port: portFlag('Port for requests (default 8080; 0: any free one)'),
      linkPort: portFlag('Port that the operator connects to (default 7071; 0: any free one)'),
      linkSecret: textFlag('FILE', 'Secret that the operator proves to know; read for each connection'),
      healthPort: portFlag('Port of /livez, /healthz and /metrics (default 7070; 0: any free one)'),
      name: textFlag('NAME', "Name in counts and statuses (default: $POD_NAME, else the host's)"),
      notice: textFlag('DURATION', 'How long it takes new requests after SIGTERM (default 5s)'),
      grace: textFlag('DURATION', 'How long it waits then for what it holds and carries (default 5m)'),
      json: jsonFlag,
    },
    aliases: {},
  },
  load: async () => (await import('../actions/gateway.ts')).gateway,
});
