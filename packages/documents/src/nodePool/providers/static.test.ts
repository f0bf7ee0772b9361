import { expect, test } from 'vitest';
import { parseDocuments } from '../../parse/parseDocuments.ts';
import { problemText } from '../../problem.ts';
import { resolveNodePool } from '../resolve.ts';

const parsed = (machines: string) =>
  parseDocuments(
    `apiVersion: ebb.dev/v1alpha1\nkind: NodePool\nmetadata: { name: racks }\nspec:\n  machines: ${machines}\n`,
    { file: 'pool.yaml' },
  );

test('machines of one own: defaults, then everything in core units', () => {
  const text = `
    - { name: plain, cpu: 4, memory: 8Gi }
    - name: gpu-1
      instanceType: dgx
      zone: rack-1
      architecture: arm64
      cpu: 500m
      memory: 1Gi
      gpu: { model: H100-SXM-80GB, count: 8, memory: 80Gi }
      pricePerHour: "2.10"
      wake: [wakeonlan, "52:54:00:12:34:56"]
      sleep: [ssh, gpu-1, poweroff]
      address: "[fd00::7]:22"
      commandTimeout: 90s`;
  const { documents, problems } = parsed(text);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(resolveNodePool(documents[0]?.document).machines).toEqual([
    {
      name: 'plain',
      instanceType: 'plain',
      zone: 'site',
      architecture: 'amd64',
      cpuMilli: 4000,
      memoryBytes: 8 * 2 ** 30,
      gpu: null,
      pricePerHourMicro: 0,
      wake: null,
      sleep: null,
      health: null,
      address: null,
      commandTimeoutMs: 60_000,
    },
    {
      name: 'gpu-1',
      instanceType: 'dgx',
      zone: 'rack-1',
      architecture: 'arm64',
      cpuMilli: 500,
      memoryBytes: 2 ** 30,
      gpu: { vendor: 'nvidia', model: 'H100-SXM-80GB', count: 8, memoryBytes: 80 * 2 ** 30 },
      pricePerHourMicro: 2_100_000,
      wake: ['wakeonlan', '52:54:00:12:34:56'],
      sleep: ['ssh', 'gpu-1', 'poweroff'],
      health: null,
      address: { host: 'fd00::7', port: 22 },
      commandTimeoutMs: 90_000,
    },
  ]);
});

test.each([
  ['[{ name: a, cpu: 1 }]', 'missing field "memory"'],
  ['[{ name: a, cpu: 1, memory: 1Gi }, { name: a, cpu: 1, memory: 1Gi }]', 'machine "a" is there twice'],
  [
    '[{ name: a, instanceType: x, cpu: 1, memory: 1Gi }, { name: b, instanceType: x, cpu: 2, memory: 1Gi }]',
    'machines "a" and "b" are both a x and not alike',
  ],
  ['[{ name: a, cpu: 1, memory: 1Gi, sleep: [poweroff] }]', 'needs a command that wakes it'],
  ['[{ name: a, cpu: 1, memory: 1Gi, health: [x], address: "h:1" }]', 'not by both'],
  ['[{ name: a, cpu: 1, memory: 1Gi, wake: wakeonlan 1 }]', 'write [wakeonlan, 1]'],
  ['[{ name: a, cpu: 1, memory: 1Gi, address: host }]', 'must be host:port'],
  ['[{ name: a, cpu: 1, memory: 1Gi, address: "host:65536" }]', 'has a port above 65535'],
])('%s is refused', (machines, message) => {
  expect(parsed(machines).problems.map(problemText).join('\n')).toContain(message);
});
