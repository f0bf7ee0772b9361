import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What nvidia-smi says on one machine. */
export interface NvidiaMachine {
  /** To `--query-gpu=index,uuid,name,memory.total,driver_version,mig.mode.current --format=csv,noheader,nounits`. */
  query: string;
  /** To `-L`. */
  list: string;
  exitCode: number;
}

const uuid = (gpu: number) => `GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3${gpu}`;
const mig = (gpu: number, instance: number) => `MIG-c7384736-a75d-5afc-978f-d2f12944${gpu}0${instance}d`;

function like(
  count: number,
  name: string,
  memoryMiB: number,
  driver: string,
  migMode: (gpu: number) => string,
): string {
  const line = (_: unknown, gpu: number) => `${gpu}, ${uuid(gpu)}, ${name}, ${memoryMiB}, ${driver}, ${migMode(gpu)}`;
  return Array.from({ length: count }, line).join('\n') + '\n';
}

function listOf(count: number, name: string, instances: readonly (readonly string[])[] = []): string {
  return Array.from({ length: count }, (_, gpu) => {
    const own = (instances[gpu] ?? []).map(
      (profile, index) =>
        `  MIG ${profile.padEnd(11)} Device ${String(index).padStart(2)}: (UUID: ${mig(gpu, index)})\n`,
    );
    return `GPU ${gpu}: ${name} (UUID: ${uuid(gpu)})\n${own.join('')}`;
  }).join('');
}

const a100 = 'NVIDIA A100-SXM4-40GB';
const h100 = 'NVIDIA H100 80GB HBM3';
const cutOf: readonly (readonly string[])[] = [
  [],
  [],
  [],
  [],
  ['3g.20gb', '3g.20gb'],
  ['1g.5gb', '1g.5gb', '1g.5gb', '1g.5gb', '1g.5gb', '1g.5gb', '1g.5gb'],
  ['2g.10gb', '2g.10gb', '2g.10gb', '1g.5gb+me'],
  [],
];

/** Machines in the formats that NVIDIA documents; the A100s are four whole, three cut, and one in MIG mode with nothing on it. */
export const machines = {
  noDevices: { query: 'No devices were found\n', list: 'No devices found.\n', exitCode: 6 },
  oneT4: {
    query: like(1, 'Tesla T4', 15_360, '535.183.01', () => '[N/A]'),
    list: listOf(1, 'Tesla T4'),
    exitCode: 0,
  },
  eightA100Mixed: {
    query: like(8, a100, 40_960, '535.104.05', (gpu) => (gpu < 4 ? 'Disabled' : 'Enabled')),
    list: listOf(8, a100, cutOf),
    exitCode: 0,
  },
  eightH100: {
    query: like(8, h100, 81_559, '550.90.07', () => 'Disabled'),
    list: listOf(8, h100),
    exitCode: 0,
  },
  brokenDriver: {
    query:
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. " +
      'Make sure that the latest NVIDIA driver is installed and running.\n\n',
    list: '',
    exitCode: 9,
  },
  lostCard: {
    query: `0, ${uuid(0)}, Tesla T4, [GPU is lost], 535.183.01, [N/A]\n`,
    list: listOf(1, 'Tesla T4'),
    exitCode: 0,
  },
} satisfies Record<string, NvidiaMachine>;

export const gpuId = uuid;
export const migId = mig;

/** Puts an executable `nvidia-smi` that answers as on that machine into a folder of its own, and returns the folder. */
export function installNvidiaSmi(parent: string, { query, list, exitCode }: NvidiaMachine): string {
  const files = { query: join(parent, 'smi-query'), list: join(parent, 'smi-list') };
  writeFileSync(files.query, query);
  writeFileSync(files.list, list);
  const script = `case "$1" in
  --query-gpu=index,uuid,name,memory.total,driver_version,mig.mode.current) cat '${files.query}' ;;
  -L) cat '${files.list}' ;;
  *) echo "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help."; exit 2 ;;
esac
exit ${exitCode}`;
  return installProgram(parent, 'nvidia-smi', script);
}

/** Puts a shell script under that name into a folder of its own, and returns the folder. */
export function installProgram(parent: string, name: string, script: string): string {
  const folder = join(parent, `bin-${name}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}
