import { expect, test } from 'vitest';
import { resolveWorkload } from './resolve.ts';
import { templateHash } from './templateHash.ts';

type Fields = Record<string, unknown>;

function hashOf(item: Fields = {}, spec: Fields = {}, baseDirectory = '/srv'): string {
  const document = {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name: 'a' },
    spec: { classes: [{ command: ['a'], env: { A: '1', B: '2' }, ...item }], ...spec },
  };
  const { classes, probes } = resolveWorkload(document, { baseDirectory });
  const [first] = classes;
  if (!first) throw new Error('no class');
  return templateHash(first, probes);
}

test('it is the same in every process and version', () => {
  expect(hashOf()).toBe('ca3003945d0477ad');
});

test.each<[string, Fields, Fields]>([
  ['scaling', {}, { scaling: { maxReplicas: 9 } }],
  ['routes', {}, { serving: { routes: [{ pathPrefix: '/x' }] } }],
  ['price', { pricePerHour: '1' }, {}],
  ['concurrency', { concurrency: 3 }, {}],
  ['name', { name: 'b' }, {}],
  ['order of variables', { env: { B: '2', A: '1' } }, {}],
  [
    'form of variables',
    {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    {},
  ],
  ['spelling of a quantity', { resources: { requests: { cpu: 0 } } }, {}],
])('%s does not change it', (_name, item, spec) => {
  expect(hashOf(item, spec)).toBe(hashOf());
});

test.each<[string, Fields, Fields]>([
  ['command', { command: ['a', 'b'] }, {}],
  ['a variable', { env: { A: '1', B: '3' } }, {}],
  ['variables of the host', { envFromHost: ['HOME'] }, {}],
  ['folder', { workingDirectory: 'x' }, {}],
  ['port', { port: 9000 }, {}],
  ['resources', { resources: { limits: { memory: '1Gi' } } }, {}],
  ['probes', {}, { probes: { readiness: { http: { path: '/ready' } } } }],
])('%s changes it', (_name, item, spec) => {
  expect(hashOf(item, spec)).not.toBe(hashOf());
});

test('words are not run together', () => {
  expect(hashOf({ command: ['a', 'b'] })).not.toBe(hashOf({ command: ['a b'] }));
});
