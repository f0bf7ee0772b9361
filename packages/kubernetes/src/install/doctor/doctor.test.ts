import { customResourceDefinition, ownKindNames } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../client/values.ts';
import type { ClusterCheck } from './doctor.ts';
import type { ClusterFacts } from './facts.ts';
import { checkInstallation } from './installation.ts';
import { checkParts } from './parts.ts';
import { checkSurroundings } from './surroundings.ts';

const nowMs = Date.parse('2026-11-23T12:00:00Z');
const meta = (name: string, more: object = {}) => ({ metadata: { name, namespace: 'ebb-system', ...more } });
const condition = (type: string, status: string, message = '') => ({ type, status, message });
const holder = { holderIdentity: 'ebb-1_uuid', leaseDurationSeconds: 15 };
const lease = (renewTime: string, more: object = {}) => ({
  value: { ...meta('ebb'), spec: { ...holder, renewTime, ...more } },
});
const shop = (name: string, more: object = {}) => ({ metadata: { name, namespace: 'shop', ...more } });

/** A cluster in which everything is well. */
const well: ClusterFacts = {
  server: 'https://cluster.example',
  namespace: 'ebb-system',
  version: '0.1.0',
  nowMs,
  serverVersion: 'v1.36.3',
  groups: ['apps', 'keda.sh', 'metrics.k8s.io'],
  apiServices: { value: [] },
  definitions: {
    value: ownKindNames.map((kind) => ({
      ...customResourceDefinition(kind),
      status: { conditions: [condition('Established', 'True')], storedVersions: ['v1alpha1'] },
    })),
  },
  deployments: {
    value: [
      {
        ...meta('ebb', {
          generation: 1,
          labels: { 'app.kubernetes.io/version': '0.1.0', 'app.kubernetes.io/part-of': 'ebb' },
        }),
        spec: { replicas: 1 },
        status: { observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1 },
      },
    ],
  },
  inventory: { value: null },
  pods: { value: [{ ...meta('ebb-1'), spec: { nodeName: 'node-1' } }] },
  claim: { value: { ...meta('ebb'), spec: { storageClassName: 'fast' }, status: { phase: 'Bound' } } },
  lease: lease('2026-11-23T11:59:58Z'),
  rights: { value: { missing: [], asked: 40 } },
  autoscalers: { value: [] },
  scaledObjects: {
    value: [
      {
        ...shop('web'),
        spec: { scaleTargetRef: { name: 'web' } },
        status: { conditions: [condition('Ready', 'True')] },
      },
    ],
  },
  workloads: { value: [] },
  nodes: {
    value: [
      {
        metadata: { name: 'node-1' },
        status: { conditions: [condition('Ready', 'True')], allocatable: { 'nvidia.com/gpu': '8' } },
      },
    ],
  },
  nodePools: { value: [] },
  clusters: { value: [] },
  services: { value: [] },
};

const checks = (facts: Partial<ClusterFacts>) => {
  const all = { ...well, ...facts };
  return new Map([...checkInstallation(all), checkParts(all), ...checkSurroundings(all)].map((one) => [one.name, one]));
};

describe('the diagnosis of a cluster', () => {
  it('finds nothing wrong where all is well', () => {
    expect([...checks({}).values()].filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(checks({}).get('nodes')?.found).toBe('1 of 1 ready; 8 nvidia.com/gpu on 1');
  });

  const hpa = (name: string, target: string, more: object = {}): JsonObject => ({
    ...shop(name, more),
    spec: { scaleTargetRef: { kind: 'Deployment', name: target } },
  });
  const keda = {
    ...meta('keda-operator'),
    metadata: { name: 'keda-operator', namespace: 'keda' },
    spec: { replicas: 1 },
  };
  const ebb = 'value' in well.deployments ? [...well.deployments.value] : [];
  const withEnvironment = (name: string) => ({
    replicas: 1,
    template: { spec: { containers: [{ name: 'operator', env: [{ name, value: 'true' }] }] } },
  });
  const adviser = withEnvironment('EBB_ADVICE');
  const sized = { sizing: { apply: 'inPlace' } };
  const gateway = (ready: number) => ({
    ...meta('ebb-gateway', { labels: { 'app.kubernetes.io/part-of': 'ebb' } }),
    spec: { replicas: 2 },
    status: { readyReplicas: ready },
  });
  const nvidia = { name: 'gpu-1', labels: { 'nvidia.com/gpu.present': 'true' } };
  const cases: [
    string,
    Partial<ClusterFacts>,
    Pick<ClusterCheck, 'state'> & { found: string | RegExp; hint?: RegExp },
  ][] = [
    ['API server', { serverVersion: 'v1.28.9' }, { state: 'bad', found: /v1\.28\.9/, hint: /1\.29\.0 or newer/ }],
    ['definitions', { definitions: { value: [] } }, { state: 'bad', found: /missing: .*workloads\.ebb\.dev/ }],
    [
      'operator',
      { deployments: { value: [] } },
      { state: 'bad', found: 'no Deployment ebb-system/ebb', hint: /install/ },
    ],
    [
      'operator',
      { version: '0.2.0' },
      { state: 'hint', found: /0\.1\.0, 1 of 1 ready/, hint: /upgrade brings 0\.2\.0/ },
    ],
    ['operator', { version: '0.0.9' }, { state: 'hint', found: /0\.1\.0/, hint: /take the ebb of 0\.1\.0/ }],
    [
      'operator',
      { deployments: { value: ebb.map((one) => ({ ...one, spec: adviser })) } },
      { state: 'ok', found: /1 of 1 ready, in advice: it writes/ },
    ],
    [
      'volume',
      { claim: { value: { status: { phase: 'Pending' } } } },
      { state: 'bad', found: /Pending/, hint: /--storage-class/ },
    ],
    ['lease', { lease: { value: null } }, { state: 'bad', found: 'nobody holds ebb-system/ebb' }],
    ['lease', { lease: lease('2026-11-23T11:50:00Z') }, { state: 'bad', found: 'ebb-1 held it, renewed 600 s ago' }],
    [
      'lease',
      { lease: lease('2026-11-23T12:00:00Z', { holderIdentity: 'laptop_x' }) },
      { state: 'hint', found: /laptop decides/ },
    ],
    [
      'rights',
      { rights: { value: { missing: [{ verb: 'list', group: '', resource: 'pods', namespace: '' }], asked: 40 } } },
      { state: 'bad', found: /lacks 1 of 40: list pods$/ },
    ],
    ['rights', { rights: { forbidden: 'you cannot create' } }, { state: 'hint', found: /not looked at/ }],
    [
      'other scalers',
      { autoscalers: { value: [hpa('keda-hpa-web', 'web')] } },
      { state: 'bad', found: 'on one target: HPA shop/keda-hpa-web and ScaledObject shop/web' },
    ],
    ['other scalers', { autoscalers: { value: [hpa('other', 'else')] } }, { state: 'ok', found: /1 HPA, none/ }],
    [
      'other scalers',
      {
        autoscalers: { value: [hpa('api', 'api')] },
        workloads: { value: [{ ...shop('w', { annotations: { 'ebb.dev/scale-target': 'Deployment/api' } }) }] },
      },
      { state: 'bad', found: /HPA shop\/api and Workload shop\/w/ },
    ],
    [
      'KEDA',
      { deployments: { value: [keda] } },
      { state: 'hint', found: /KEDA runs beside Ebb: keda\/keda-operator/, hint: /--namespace keda --replicas 0/ },
    ],
    ['KEDA', { deployments: { value: [{ ...keda, spec: { replicas: 0 } }] } }, { state: 'ok', found: /switched off/ }],
    ['metrics APIs', { groups: [] }, { state: 'hint', found: 'none', hint: /metrics-server/ }],
    [
      'metrics APIs',
      {
        apiServices: {
          value: [
            {
              metadata: { name: 'v1beta1.metrics.k8s.io' },
              spec: { group: 'metrics.k8s.io' },
              status: { conditions: [condition('Available', 'False', 'no endpoints')] },
            },
          ],
        },
      },
      { state: 'hint', found: /v1beta1\.metrics\.k8s\.io: no endpoints/ },
    ],
    [
      'ScaledObjects',
      {
        scaledObjects: {
          value: [{ ...shop('web'), status: { conditions: [condition('Ready', 'False', 'no such Secret')] } }],
        },
      },
      { state: 'bad', found: '1 of 1 with a problem: shop/web: no such Secret' },
    ],
    ['Workloads', { workloads: { value: [shop('w')] } }, { state: 'hint', found: /1 of 1 not looked at yet: shop\/w/ }],
    ['nodes', { nodes: { value: [] } }, { state: 'bad', found: /0 of 0 ready/ }],
    [
      'nodes',
      {
        nodes: { value: [{ metadata: nvidia, status: { conditions: [condition('Ready', 'True')], allocatable: {} } }] },
      },
      { state: 'hint', found: /nobody gives out on gpu-1/, hint: /device plugin/ },
    ],
    [
      'nodes',
      {
        nodes: {
          value: [
            {
              metadata: nvidia,
              status: { conditions: [condition('Ready', 'True')], allocatable: { 'nvidia.com/mig-1g.10gb': '7' } },
            },
          ],
        },
      },
      { state: 'ok', found: /1 of 1 ready/ },
    ],
    [
      'node scalers',
      { groups: ['karpenter.sh'], nodePools: { value: [{}] } },
      { state: 'ok', found: 'Karpenter with 1 NodePool' },
    ],
    [
      'optional parts',
      { services: { value: [shop('llm')] }, clusters: { value: [meta('own')] } },
      {
        state: 'hint',
        found:
          'none switched on, asked for: Service shop/llm for --serve-services; Cluster ebb-system/own for --node-pools',
        hint: /upgrade --serve-services --node-pools$/,
      },
    ],
    [
      'optional parts',
      {
        services: { value: [shop('llm')] },
        deployments: {
          value: [
            ...ebb.map((one) => ({ ...one, spec: withEnvironment('EBB_SERVE_SERVICES') })),
            { ...shop('web', { annotations: { 'ebb.dev/headroom': '2' } }) },
            { ...shop('off', { annotations: { 'ebb.dev/headroom': '0', 'ebb.dev/prepull': 'false' } }) },
          ],
        },
        workloads: { value: ['a', 'b', 'c', 'd'].map((name) => ({ ...shop(name), spec: sized })) },
      },
      {
        state: 'hint',
        found:
          'serve-services switched on, asked for: Workload shop/a, Workload shop/b, Workload shop/c and 1 more for --sizing; Deployment shop/web for --warmth',
      },
    ],
    [
      'optional parts',
      {
        services: { value: [shop('llm')] },
        deployments: { value: ebb.map((one) => ({ ...one, spec: adviser })) },
      },
      { state: 'ok', found: 'none switched on' },
    ],
    [
      'gateway',
      { deployments: { value: [...ebb, gateway(2)] } },
      { state: 'ok', found: 'ebb-system/ebb-gateway 2 of 2 ready' },
    ],
    [
      'gateway',
      { deployments: { value: [...ebb, gateway(0)] } },
      { state: 'bad', found: 'ebb-system/ebb-gateway 0 of 2 ready' },
    ],
  ];
  it('takes it for well that others scale beside one that advises, but not what it has taken over', () => {
    const deployments = { value: [...ebb.map((one) => ({ ...one, spec: adviser })), keda] };
    const beside = checks({ deployments, autoscalers: { value: [hpa('keda-hpa-web', 'web')] } });
    expect(beside.get('other scalers')).toMatchObject({ state: 'ok' });
    expect(beside.get('KEDA')).toMatchObject({ state: 'ok', found: expect.stringContaining('advises beside it') });
    const taken = shop('web', { annotations: { 'ebb.dev/mode': 'control' } });
    const scaledObjects = { value: [{ ...taken, spec: { scaleTargetRef: { name: 'web' } } }] };
    const both = checks({ deployments, scaledObjects, autoscalers: { value: [hpa('keda-hpa-web', 'web')] } });
    expect(both.get('other scalers')).toMatchObject({ state: 'bad' });
  });

  it.each(cases)('tells of %s (%#)', (name, facts, { state, found, hint }) => {
    const check = checks(facts).get(name);
    expect(check?.state).toBe(state);
    if (typeof found === 'string') expect(check?.found).toBe(found);
    else expect(check?.found).toMatch(found);
    if (hint) expect(check?.hint).toMatch(hint);
    // Whatever is not well comes with what to do.
    if (state !== 'ok') expect(check?.hint).toBeTruthy();
  });
});
