import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveWorkload } from './resolve.ts';

const text = (placement: string, rest = '') => `apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: web }
spec:
  classes: [{ command: [./web] }]
  placement: ${placement}
${rest}`;
const read = (source: string) => parseDocuments(source, { file: 'w.yaml' });
const resolve = (source: string) => resolveWorkload(read(source).documents[0]?.document, { baseDirectory: '/' });

test('left out, the workload has none', () => {
  const spec = resolve(text('{}').replace(/ {2}placement.*\n/, ''));
  expect(spec).not.toHaveProperty('placement');
  expect(spec.interruption).toBe('never');
});

test('its defaults', () => {
  expect(resolve(text('{}')).placement).toEqual({
    clusters: [],
    regions: [],
    pools: [],
    nodeSelector: {},
    requirements: [],
    tolerations: [],
    instances: { order: 'cheapest', cpuAllowed: true, gpuNeeded: false },
    spread: [],
  });
});

test('everything, in the form of the node core', () => {
  const spec = resolve(
    text(`
    clusters: [eu, us]
    regions: [eu-central-1]
    pools: [{ name: gpu, cluster: eu, priority: 10 }, spare]
    interruption: allowed
    nodeSelector: { example.com/tier: fast }
    requirements: [{ key: kubernetes.io/arch, operator: In, values: [amd64] }]
    tolerations: [{ key: nvidia.com/gpu, operator: Exists }, { operator: Exists, effect: NoExecute }, { key: a, value: b }]
    instances: { order: spotFirst, gpuNeeded: true }
    spread: [{ by: zone, maxSkew: 1 }, { by: node, max: 2, required: true }]`),
  );
  expect(spec.interruption).toBe('allowed');
  expect(spec.placement).toEqual({
    clusters: ['eu', 'us'],
    regions: ['eu-central-1'],
    pools: [
      { name: 'gpu', cluster: 'eu', priority: 10 },
      { name: 'spare', cluster: null, priority: 0 },
    ],
    nodeSelector: { 'example.com/tier': 'fast' },
    requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'], minValues: null }],
    tolerations: [
      { key: 'nvidia.com/gpu', operator: 'Exists', value: '', effect: null },
      { key: null, operator: 'Exists', value: '', effect: 'NoExecute' },
      { key: 'a', operator: 'Equal', value: 'b', effect: null },
    ],
    instances: { order: 'spotFirst', cpuAllowed: false, gpuNeeded: true },
    spread: [
      { by: 'zone', maxSkew: 1, max: null, required: false },
      { by: 'node', maxSkew: null, max: 2, required: true },
    ],
  });
});

describe('mistakes', () => {
  test.each([
    [text('{ pools: [gpu, { name: gpu }] }'), 'w.yaml:6:29: error: pool "gpu" is there twice'],
    [
      text('{ pools: [{ name: gpu, prio: 1 }] }'),
      'w.yaml:6:37: error: unknown field "prio" in spec.placement.pools[0]',
    ],
    [text('{ cluster: [eu] }'), 'w.yaml:6:16: error: unknown field "cluster" in spec.placement'],
    [
      text('{ instances: { gpuNeeded: true, cpuAllowed: true } }'),
      'w.yaml:6:40: error: a GPU is needed and machines without one are allowed; write cpuAllowed: false',
    ],
    [text('{ spread: [{ by: zone }] }'), 'w.yaml:6:25: error: a spread needs maxSkew or max'],
    [text('{ spread: [{ by: rack, max: 1 }] }'), 'w.yaml:6:31: error: spec.placement.spread[0].by has the unknown val'],
    [text('{ tolerations: [{ value: a }] }'), 'w.yaml:6:30: error: a toleration with Equal needs the key of a taint'],
    [
      text('{ tolerations: [{ key: a, operator: Exists, value: b }] }'),
      'w.yaml:6:65: error: Exists takes no value, found "b"',
    ],
    [
      text('{ interruption: allowed }', '  interruption: never\n'),
      'w.yaml:6:30: error: interruption is "never" for the workload and "allowed" in placement; write it once',
    ],
  ])('%#', (source, expected) => {
    const [error = ''] = read(source)
      .problems.filter(({ severity }) => severity === 'error')
      .map(problemText);
    expect(error).toContain(expected);
  });
});

test('what says nothing on one machine is told, where it stands', () => {
  const { problems } = read(text('{ nodeSelector: { a: b }, spread: [{ by: zone, max: 1 }], clusters: [local] }'));
  expect(problems.map(({ code, path, column }) => [code, path, column])).toEqual([
    ['mode-not-available', 'spec.placement.nodeSelector', 30],
    ['mode-not-available', 'spec.placement.spread', 48],
  ]);
});

test('whatever is placed, reading it again says the same', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/);
  const placement = fc.record(
    {
      clusters: fc.uniqueArray(name, { maxLength: 4 }),
      regions: fc.uniqueArray(name, { maxLength: 4 }),
      pools: fc.uniqueArray(fc.record({ name, priority: fc.nat(1000) }), {
        selector: (pool) => pool.name,
        maxLength: 5,
      }),
      interruption: fc.constantFrom('never' as const, 'allowed' as const),
      nodeSelector: fc.dictionary(name, name, { maxKeys: 4, noNullPrototype: true }),
      instances: fc.record({ order: fc.constantFrom('cheapest', 'spotFirst', 'onDemandFirst') }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(placement, (written) => {
      const found = resolve(text(JSON.stringify(written)));
      const { pools = [], clusters = [], regions = [], nodeSelector = {}, interruption = 'never' } = written;
      expect(found.interruption).toBe(interruption);
      expect(found.placement).toMatchObject({ clusters, regions, nodeSelector });
      expect(found.placement?.pools).toEqual(pools.map((pool) => ({ ...pool, cluster: null })));
    }),
  );
});
