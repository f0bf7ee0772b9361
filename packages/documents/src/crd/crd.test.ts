import { describe, expect, test } from 'vitest';
import { kindNames, kindOf } from '../kinds.ts';
import type { JsonSchema } from '../reference/jsonSchema.ts';
import type { FleetStatus, NodeStatus, WorkloadStatus } from '../status.ts';
import { customResourceDefinition, ownKindNames } from './crd.ts';
import { clusterResourceStatus, nodePoolResourceStatus, workloadResourceStatus } from './resourceStatus.ts';
import { structural } from './structural.ts';
import type { StructuralSchema } from './structuralSchema.ts';

test('every kind of Ebb has one, and no other', () => {
  expect([...ownKindNames].sort()).toEqual(['Cluster', 'NodePool', 'Workload']);
  expect(kindNames.filter((name) => kindOf(name).apiVersion.startsWith('ebb.dev/'))).toEqual([...ownKindNames]);
});

describe.each(ownKindNames)('%s', (name) => {
  const definition = customResourceDefinition(name);
  const [version] = definition.spec.versions;

  test('everything has a type or says why not', () => {
    expect(untyped('', version?.schema.openAPIV3Schema ?? {})).toEqual([]);
  });

  test('fields that nobody described prune what is unknown', () => {
    expect(definition.spec.preserveUnknownFields).toBe(false);
  });

  test('every column names a field that the schema has', () => {
    for (const { jsonPath } of version?.additionalPrinterColumns ?? []) {
      if (jsonPath.startsWith('.metadata')) continue;
      const found = jsonPath
        .slice(1)
        .split('.')
        .reduce<StructuralSchema | undefined>((at, field) => at?.properties?.[field], version?.schema.openAPIV3Schema);
      expect(found, jsonPath).toBeDefined();
    }
  });
});

describe('structural', () => {
  test.each<[string, JsonSchema, StructuralSchema]>([
    ['a constant', { type: 'string', const: 'a' }, { type: 'string', enum: ['a'] }],
    [
      'an exclusive bound',
      { type: 'number', exclusiveMinimum: 0, maximum: 1 },
      { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 1 },
    ],
    [
      'whole number or text',
      {
        anyOf: [
          { type: 'integer', minimum: 0 },
          { type: 'string', const: 'auto' },
        ],
      },
      {
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        minimum: 0,
        pattern: '^(auto)$',
        'x-kubernetes-int-or-string': true,
      },
    ],
    ['nothing or a text', { anyOf: [{ type: 'string' }, { type: 'null' }] }, { type: 'string', nullable: true }],
    [
      'a default in words',
      { type: 'boolean', description: 'Whether.', default: false },
      { type: 'boolean', description: 'Whether. Default: false.' },
    ],
  ])('%s', (_, schema, expected) => {
    expect(structural(schema)).toEqual(expected);
  });

  test('objects told apart by their type become one with rules', () => {
    const option = (type: string, field: string, required: string[]): JsonSchema => ({
      type: 'object',
      properties: { type: { type: 'string', const: type }, [field]: { type: 'string' } },
      required: ['type', ...required],
    });
    const merged = structural({ oneOf: [option('a', 'one', ['one']), option('b', 'two', [])] });
    expect(merged.required).toEqual(['type']);
    expect(merged.properties?.type).toEqual({ type: 'string', enum: ['a', 'b'] });
    expect(merged['x-kubernetes-validations']).toEqual([
      { rule: "self.type in ['a'] || !(has(self.one))", message: 'only the type a has one' },
      { rule: "self.type in ['b'] || !(has(self.two))", message: 'only the type b has two' },
      { rule: "self.type != 'a' || has(self.one)", message: 'one is required with the type a' },
    ]);
  });

  test('what has no structural form is refused aloud', () => {
    expect(() => structural({ description: 'anything' })).toThrow('no structural form');
    expect(() => structural({ type: 'array' })).toThrow('without a type of its elements');
  });
});

const counts = { wanted: 2, starting: 1, ready: 1, draining: 0, failed: 0 };

test('a workload says what its columns show', () => {
  const status: Omit<WorkloadStatus, 'coldStarts' | 'replicaList' | 'scaledBy' | 'revisitAt' | 'oldestHeldMs'> = {
    cluster: 'local',
    namespace: 'default',
    name: 'echo',
    generation: 3,
    observedGeneration: 3,
    replicas: counts,
    classes: { default: counts },
    inFlight: 1,
    held: 2,
    requests: { total: 5, succeeded: 4, failed: 1, refused: 0, cancelled: 0, held: 2 },
    minReplicas: 0,
    maxReplicas: 4,
    decision: { sequence: 7, at: 0, replicas: 2, classes: {}, summary: 'two, for two requests', reasons: [] },
    cost: {
      currency: 'USD',
      ratePerHourMicro: 140_000,
      soFarMicro: '0',
      replicaSeconds: 0,
      alwaysOnMicro: '0',
      alwaysOnReplicaSeconds: 0,
      assumption: '',
    },
    conditions: [],
    url: null,
  };
  const shown = workloadResourceStatus(status as WorkloadStatus, {
    selector: 'app=echo',
    decidedAt: '1970-01-01T00:00:00.000Z',
  });
  expect(shown.shown).toEqual({ ready: '1/2', bounds: '0-4', costPerHour: '0.1400 USD' });
  expect(shown.decision).toEqual({
    sequence: 7,
    at: '1970-01-01T00:00:00.000Z',
    replicas: 2,
    summary: 'two, for two requests',
  });
  expect(shown).not.toHaveProperty('url');
});

test('a cluster and its pool count their machines', () => {
  const node = (pool: string, phase: NodeStatus['phase']) =>
    ({ pool, phase, pricePerHourMicro: 500_000 }) as NodeStatus;
  const fleet = {
    provider: 'aws',
    nodes: [node('gpu', 'ready'), node('gpu', 'starting'), node('cpu', 'ready')],
    waiting: 1,
    currency: 'USD',
    pricePerHourMicro: 1_500_000,
    lowerBoundMicro: null,
  } as FleetStatus;
  expect(clusterResourceStatus(fleet, 1, [])).toEqual({
    observedGeneration: 1,
    provider: 'aws',
    nodes: 3,
    readyNodes: 2,
    waiting: 1,
    pricePerHour: '1.5000 USD',
    conditions: [],
  });
  expect(nodePoolResourceStatus('gpu', fleet, 1, [])).toMatchObject({
    nodes: 2,
    readyNodes: 1,
    pricePerHour: '1.0000 USD',
  });
});

function untyped(path: string, schema: StructuralSchema): string[] {
  const open = schema['x-kubernetes-int-or-string'] ?? schema['x-kubernetes-preserve-unknown-fields'];
  return [
    ...(schema.type === undefined && !open ? [path] : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => untyped(`${path}.${name}`, field)),
    ...(schema.items ? untyped(`${path}[]`, schema.items) : []),
    ...(schema.additionalProperties ? untyped(`${path}.*`, schema.additionalProperties) : []),
  ];
}
