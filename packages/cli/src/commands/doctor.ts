import { defineCommand } from './definition.ts';
import { type CommonFlags, dataFlag, jsonFlag, portFlag } from './flags.ts';

export type DoctorFlags = CommonFlags & { apiPort?: number; gatewayPort?: number };

export const doctor = defineCommand({
  brief: 'Check whether this machine has what Ebb needs',
  description:
    'Looks at Node, the platform and its limits, Python (only the Python example needs it), the ports, the data folder and\n' +
    'accelerators. Exit code 1 when something stands in the way; hints alone are fine.',
  examples: [
    { command: 'ebb doctor', does: 'a line a check' },
    { command: 'ebb doctor --gateway-port 9000 --json', does: 'for another port, as JSON' },
  ],
  parameters: {
    flags: {
      data: dataFlag,
      apiPort: portFlag('Port of the API to look at (default 7070)'),
      gatewayPort: portFlag('Port of the gateway to look at (default 8080)'),
      json: jsonFlag,
    },
  },
  load: async () => (await import('../actions/doctor.ts')).doctor,
});
