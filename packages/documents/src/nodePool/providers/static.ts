import { z } from 'zod';
import { durationField } from '../../fields/duration.ts';
import { moneyField } from '../../fields/money.ts';
import { nameField } from '../../fields/names.ts';
import { bytesField, milliField } from '../../fields/quantity.ts';
import { reportDuplicates, rule } from '../../fields/rule.ts';
import { commandSchema } from '../../workload/command.ts';

const gpuSchema = z.strictObject({
  vendor: z.enum(['nvidia', 'amd', 'intel']).prefault('nvidia').meta({ description: 'Who made them.' }),
  model: z
    .string()
    .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/, { error: 'must be up to 63 letters, digits, -, _ and .' })
    .meta({ description: 'As lists of prices call it.', examples: ['L4', 'H100-SXM-80GB'] }),
  count: z.int().min(1).max(64).prefault(1).meta({ description: 'How many.' }),
  memory: bytesField().meta({ description: 'Memory of one.', examples: ['24Gi'] }),
});

const machineSchema = z.strictObject({
  name: nameField().meta({ description: 'Its name, unlike that of every other machine of the cluster.' }),
  instanceType: z
    .string()
    .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/, { error: 'must be up to 63 letters, digits, -, _ and .' })
    .optional()
    .meta({ description: 'Name for machines that are alike. Left out: its own name.', examples: ['dgx-a100'] }),
  zone: nameField()
    .prefault('site')
    .meta({ description: 'Where it stands.', examples: ['rack-1'] }),
  architecture: z.enum(['amd64', 'arm64']).prefault('amd64').meta({ description: 'Of its processors.' }),
  cpu: milliField().meta({ description: 'Processors.', examples: [32] }),
  memory: bytesField().meta({ description: 'Memory.', examples: ['128Gi'] }),
  gpu: gpuSchema.optional().meta({ description: 'GPUs, all alike.' }),
  pricePerHour: moneyField()
    .prefault(0)
    .meta({
      description: 'What an hour costs, power for instance. Left out: nothing.',
      examples: ['0.35'],
    }),
  wake: commandSchema.optional().meta({
    description: 'Program and arguments that switch it on. Left out: it is always on.',
    examples: [['wakeonlan', '52:54:00:12:34:56']],
  }),
  sleep: commandSchema.optional().meta({
    description: 'Program and arguments that switch it off. Left out: it is never switched off.',
    examples: [['ssh', 'rack-1-a', 'poweroff']],
  }),
  health: commandSchema.optional().meta({
    description: 'Program and arguments that end with 0 while the machine may be used.',
    examples: [['ssh', 'rack-1-a', 'true']],
  }),
  address: z
    .string()
    .regex(/^([A-Za-z0-9][-A-Za-z0-9.]{0,252}|\[[0-9A-Fa-f:.]+\]):([1-9]\d{0,4})$/, { error: 'must be host:port' })
    .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, {
      error: 'has a port above 65535',
    })
    .optional()
    .meta({
      description: 'Where it takes TCP connections while it may be used, in place of `health`.',
      examples: ['10.0.0.7:22'],
    }),
  commandTimeout: durationField(1000).prefault('60s').meta({ description: 'Each command is ended after this.' }),
});

/** Machines of one's own, for clusters with the cloud `on-prem`. */
export const machinesSchema = z
  .array(machineSchema)
  .max(1000)
  .check(
    rule(['*.name'], (machines, report) => {
      reportDuplicates(
        machines.map(({ name }) => name),
        'machine',
        (index) => [index, 'name'],
        report,
      );
    }),
    rule([], (machines, report) => {
      const firstOf = new Map<string, number>();
      for (const [index, machine] of machines.entries()) {
        const { address, health, instanceType = machine.name, sleep, wake } = machine;
        if (health !== undefined && address !== undefined)
          report([index, 'address'], 'whether it may be used is asked by health or by address, not by both', {
            code: 'one-of',
            related: [[index, 'health']],
          });
        if (sleep !== undefined && wake === undefined)
          report([index, 'sleep'], 'a machine that is switched off needs a command that wakes it', {
            code: 'missing-field',
          });
        const first = firstOf.get(instanceType);
        const other = first === undefined ? undefined : machines[first];
        if (first === undefined || other === undefined) firstOf.set(instanceType, index);
        else if (!isAlike(machine, other))
          report([index], `machines "${other.name}" and "${machine.name}" are both a ${instanceType} and not alike`, {
            code: 'invalid-value',
            related: [[first]],
          });
      }
    }),
  );

type Machine = z.output<typeof machineSchema>;

/** One machine of one's own. */
export interface MachineSpec {
  name: string;
  instanceType: string;
  zone: string;
  architecture: 'amd64' | 'arm64';
  cpuMilli: number;
  memoryBytes: number;
  gpu: { vendor: 'nvidia' | 'amd' | 'intel'; model: string; count: number; memoryBytes: number } | null;
  pricePerHourMicro: number;
  /** Null, here and below: there is none. */
  wake: string[] | null;
  sleep: string[] | null;
  health: string[] | null;
  address: { host: string; port: number } | null;
  commandTimeoutMs: number;
}

export function resolveMachines(machines: Machine[]): MachineSpec[] {
  return machines.map((machine) => ({
    name: machine.name,
    instanceType: machine.instanceType ?? machine.name,
    zone: machine.zone,
    architecture: machine.architecture,
    cpuMilli: machine.cpu,
    memoryBytes: machine.memory,
    gpu: machine.gpu ? { ...rest(machine.gpu), memoryBytes: machine.gpu.memory } : null,
    pricePerHourMicro: machine.pricePerHour,
    wake: machine.wake ?? null,
    sleep: machine.sleep ?? null,
    health: machine.health ?? null,
    address: machine.address === undefined ? null : addressOf(machine.address),
    commandTimeoutMs: machine.commandTimeout,
  }));
}

function rest({ vendor, model, count }: NonNullable<Machine['gpu']>) {
  return { vendor, model, count };
}

function addressOf(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

/** What a type says of a machine is the same of both. */
function isAlike(one: Machine, other: Machine): boolean {
  const shape = ({ architecture, cpu, memory, gpu, pricePerHour }: Machine) =>
    JSON.stringify([architecture, cpu, memory, gpu?.vendor, gpu?.model, gpu?.count, gpu?.memory, pricePerHour]);
  return shape(one) === shape(other);
}
