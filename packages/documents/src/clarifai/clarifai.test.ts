import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveCluster } from '../cluster/resolve.ts';
import { resolveNodePool } from '../nodePool/resolve.ts';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveWorkload } from '../workload/resolve.ts';
import { labelOf } from './converted.ts';
import { withProgram } from './program.ts';

const cluster = `compute_cluster:
  id: vision-eu
  description: "Cameras in the field"
  cloud_provider:
    id: aws
  region: eu-central-1
  managed_by: user
  cluster_type: dedicated
  visibility:
    gettable: 10
`;
const nodepool = `nodepool:
  id: Vision_GPU
  compute_cluster:
    id: vision-eu
  instance_types:
    - id: g5.xlarge
      compute_info: { num_accelerators: 1, accelerator_memory: 24Gi }
    - id: g6.xlarge
  node_capacity_type:
    capacity_types: [1, 2]
  min_instances: 1
  max_instances: 6
  warm_instances: 2
`;
const deployment = (rest = '') => `deployment:
  id: detector
  description: "Boxes around people"
  autoscale_config:
    min_replicas: 1
    max_replicas: 8
    traffic_history_seconds: 100
    scale_down_delay_seconds: 30
    scale_up_delay_seconds: 45
    scale_to_zero_delay_seconds: 50
    soft_min_replicas: 2
    disable_packing: true
  worker:
    model:
      id: person-detector
      model_version: { id: 3fa9 }
      user_id: acme
      app_id: cameras
  scheduling_choice: 7
  deployment_nodepools:
    - nodepool: { id: Vision_GPU, compute_cluster: { id: vision-eu } }
      priority: 9
    - nodepool: { id: spare }
${rest}`;

const read = (text: string) => parseDocuments(text, { file: 'c.yaml' });
const only = (text: string) => {
  const { documents, problems } = read(text);
  const [found] = documents;
  expect(problems.filter(({ severity }) => severity === 'error').map(problemText)).toEqual([]);
  if (!found || documents.length !== 1) throw new Error(`expected one document, found ${documents.length}`);
  return found;
};
const warnings = (text: string) =>
  read(text).problems.map(({ line, column, message, severity }) => `${severity} ${line}:${column} ${message}`);

describe('files of Clarifai, unchanged', () => {
  test('compute_cluster becomes a Cluster', () => {
    const { kind, key, document } = only(cluster);
    expect([kind, key]).toEqual(['Cluster', { cluster: 'vision-eu', namespace: 'default', name: 'vision-eu' }]);
    expect(resolveCluster(document)).toMatchObject({
      type: 'kubernetes',
      cloud: 'aws',
      region: 'eu-central-1',
      annotations: {
        'clarifai.com/id': 'vision-eu',
        'clarifai.com/cluster-type': 'dedicated',
        'clarifai.com/managed-by': 'user',
        'ebb.dev/description': 'Cameras in the field',
      },
    });
  });

  test('nodepool becomes a NodePool, spot first where both are named', () => {
    const { kind, key, document } = only(nodepool);
    expect([kind, key]).toEqual(['NodePool', { cluster: 'vision-eu', namespace: 'default', name: 'vision-gpu' }]);
    expect(resolveNodePool(document)).toMatchObject({
      instanceTypes: ['g5.xlarge', 'g6.xlarge'],
      capacityTypes: ['spot', 'on-demand'],
      minNodes: 1,
      maxNodes: 6,
      warmSpares: 2,
      annotations: { 'clarifai.com/id': 'Vision_GPU' },
    });
  });

  test('deployment becomes a Workload with the five delays and its pools', () => {
    const { kind, document } = only(deployment());
    expect(kind).toBe('Workload');
    const spec = resolveWorkload(document, { baseDirectory: '/' });
    expect(spec.scaling).toMatchObject({
      minReplicas: 1,
      maxReplicas: 8,
      paused: { replicas: 0 },
      policy: {
        type: 'clarifai',
        softMinReplicas: 2,
        trafficHistoryMs: 100_000,
        scaleUpDelayMs: 45_000,
        scaleDownDelayMs: 30_000,
        scaleToZeroDelayMs: 50_000,
      },
    });
    expect(spec.interruption).toBe('allowed');
    expect(spec.placement).toMatchObject({
      pools: [
        { name: 'vision-gpu', cluster: 'vision-eu', priority: 9 },
        { name: 'spare', cluster: null, priority: 0 },
      ],
      instances: { order: 'spotFirst' },
      spread: [{ by: 'node', max: 1, required: true }],
    });
    expect(spec.annotations).toMatchObject({
      'clarifai.com/model-id': 'person-detector',
      'clarifai.com/model-version-id': '3fa9',
      'clarifai.com/model-user-id': 'acme',
      'clarifai.com/model-app-id': 'cameras',
    });
  });

  test("what the model's own compute info asks for", () => {
    const info =
      '{ cpu_limit: "4", cpu_requests: "2", cpu_memory: 16Gi, num_accelerators: 2, accelerator_memory: 20Gi }';
    const text = deployment().replace('app_id: cameras', `inference_compute_info: ${info}`);
    const [one] = resolveWorkload(only(text).document, { baseDirectory: '/' }).classes;
    const sixteen = 16 * 2 ** 30;
    expect(one?.resources.requests).toMatchObject({ cpuMilli: 2000, memoryBytes: sixteen, gpuMilli: 2000 });
    expect(one?.resources.requests).toMatchObject({ gpuMemoryBytes: 20 * 2 ** 30 });
    expect(one?.resources.limits).toMatchObject({ cpuMilli: 4000, memoryBytes: sixteen });
  });

  test('the defaults of its SDK, where the document leaves them out', () => {
    const { document } = only(
      'deployment: { id: d, worker: { workflow: { id: w } }, nodepools: [{ id: p }], autoscale_config: { scale_down_delay_seconds: 7200 } }',
    );
    expect(resolveWorkload(document, { baseDirectory: '/' }).scaling).toMatchObject({
      minReplicas: 0,
      maxReplicas: 5,
      policy: { trafficHistoryMs: 600_000, scaleUpDelayMs: 300_000, scaleToZeroDelayMs: 7_200_000 },
    });
  });

  test('all three, in one text or as several documents', () => {
    const kinds = ['Cluster', 'NodePool', 'Workload'];
    expect(read(`${cluster}---\n${nodepool}---\n${deployment()}`).documents.map(({ kind }) => kind)).toEqual(kinds);
    expect(read(cluster + nodepool + deployment()).documents.map(({ kind }) => kind)).toEqual(kinds);
  });
});

describe('what is not honoured is named where it stands', () => {
  test.each([
    [cluster, '10:5', 'visibility is not honoured: who may see an object'],
    [cluster.replace('dedicated', 'shared'), '8:17', "shared clusters are Clarifai's own"],
    [cluster.replace('id: aws', 'id: vultr'), '5:9', 'the cloud "vultr" has no prices here and is read as on-prem'],
    [cluster.replace('managed_by: user', 'managed_by: clarifai'), '7:15', 'managed_by clarifai is kept as an annot'],
    [nodepool, '2:7', 'the id "Vision_GPU" is named "vision-gpu" here'],
    [nodepool, '7:21', 'compute_info is not honoured: what a "g5.xlarge" has'],
    [`${nodepool}  special_handling: 3\n`, '14:21', 'special_handling is not honoured'],
    [nodepool.replace('[1, 2]', '[0, 1]'), '10:22', 'capacity type 0 names none'],
    [deployment(), '15:7', 'the program of the model "person-detector" is not known here'],
    [deployment('  deploy_latest_version: true\n'), '24:26', 'deploy_latest_version is not honoured'],
    [deployment('  graceful_deploy: false\n'), '24:20', 'graceful_deploy false is not honoured'],
    [deployment('  email_reminder_after: 3600\n'), '24:25', 'email_reminder_after is not honoured: Ebb sends no mail'],
    [
      deployment().replace('scheduling_choice: 7', 'scheduling_choice: RANDOM'),
      '19:22',
      'scheduling_choice RANDOM is n',
    ],
    [deployment().replace('choice: 7', 'choice: 4'), '19:22', 'scheduling_choice PERFORMANCE is not honoured'],
    [
      deployment().replace('app_id: cameras', 'inference_compute_info: { accelerator_type: [NVIDIA-A10G] }'),
      '18:51',
      'accelerator_type is not honoured',
    ],
  ])('%#', (text, place, message) => {
    expect(warnings(text)).toContainEqual(expect.stringContaining(`warning ${place} ${message}`));
  });

  test('a key is never read and in no message', () => {
    for (const key of ['  key: { id: pat-4711 }\n', '  key: pat-4711\n', '  key: [pat-4711]\n  regoin: pat\n']) {
      const { documents, problems } = read(cluster + key);
      expect(JSON.stringify([documents.map(({ document }) => document), problems])).not.toContain('pat-4711');
      expect(problems.length).toBeGreaterThan(0);
    }
    expect(JSON.stringify(read(`${cluster}  key: !x pat-4711: 3 : 4\n`).problems)).not.toContain('pat-4711');
  });
});

test.each([
  [cluster.replace('region:', 'regoin:'), '6:3', 'unknown field "regoin" in compute_cluster'],
  [cluster.replace('id: vision-eu', 'id: "___"'), '2:7', 'compute_cluster.id "___" must have a letter or digit'],
  [nodepool.replace('max_instances: 6', 'max_instances: 0'), '11:18', 'min_instances 1 is larger than max_instances 0'],
  [nodepool.replace('warm_instances: 2', 'warm_instances: 20'), '13:19', 'warmSpares 20 is larger than maxNodes 6'],
  [nodepool.replace('[1, 2]', '[3]'), '10:22', 'nodepool.node_capacity_type.capacity_types[0] must be'],
  [nodepool.replace('[1, 2]', '[SPOT]'), '10:22', 'nodepool.node_capacity_type.capacity_types[0]'],
  [
    deployment().replace('max_replicas: 8', 'max_replicas: 0'),
    '6:19',
    'deployment.autoscale_config.max_replicas must be',
  ],
  [
    deployment().replace('_zero_delay_seconds: 50', '_zero_delay_seconds: 20'),
    '10:34',
    'scale_to_zero_delay_seconds 20 is',
  ],
  [
    deployment().replace('    model:', '    workflow: { id: w }\n    model:'),
    '14:15',
    'a worker is one of model and w',
  ],
  [deployment('  nodepools: [{ id: p }]\n'), '21:5', 'a deployment has one of nodepools and deployment_nodepools'],
  [
    'deployment: { id: d, worker: { model: { id: m } } }',
    '1:13',
    'one of nodepools and deployment_nodepools is needed',
  ],
  ['nodepool:\nid: p\n', '2:1', 'the indentation is lost: `id` belongs under `nodepool`'],
])('wrong: %#', (text, place, message) => {
  const errors = read(text).problems.filter(({ severity }) => severity === 'error');
  expect(errors.map((one) => `${one.line}:${one.column} ${one.message}`)).toContainEqual(
    expect.stringContaining(`${place} ${message}`),
  );
});

test('with its program a deployment runs, unless it is DISABLED', () => {
  const run = (text: string) => {
    const { document } = only(text);
    return resolveWorkload(withProgram({ ...document }, ['python3', 'serve.py']), { baseDirectory: '/' });
  };
  const spec = run(deployment());
  expect(spec.scaling.paused).toBeNull();
  expect(spec.classes[0]?.command).toEqual(['python3', 'serve.py']);
  expect(run(deployment('  status: DISABLED\n')).scaling.paused).toEqual({ replicas: 0 });
});

test('whatever its numbers, a right file gives documents that say the same', () => {
  const numbers = fc.record({
    min: fc.nat(50),
    more: fc.integer({ min: 1, max: 50 }),
    history: fc.integer({ min: 1, max: 86_400 }),
    up: fc.nat(10_000),
    down: fc.nat(10_000),
    zeroMore: fc.nat(10_000),
    soft: fc.nat(50),
    id: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,70}$/),
  });
  fc.assert(
    fc.property(numbers, ({ min, more, history, up, down, zeroMore, soft, id }) => {
      const text = JSON.stringify({
        deployment: {
          id,
          autoscale_config: {
            min_replicas: min,
            max_replicas: min + more,
            traffic_history_seconds: history,
            scale_up_delay_seconds: up,
            scale_down_delay_seconds: down,
            scale_to_zero_delay_seconds: down + zeroMore,
            soft_min_replicas: soft,
          },
          worker: { model: { id: 'm' } },
          nodepools: [{ id }],
        },
      });
      const { document, key } = only(text);
      expect(key.name).toBe(labelOf(id));
      const again = only(JSON.stringify(document));
      expect(again.document).toEqual(document);
      expect(resolveWorkload(document, { baseDirectory: '/' }).scaling).toMatchObject({
        minReplicas: min,
        maxReplicas: min + more,
        policy: {
          trafficHistoryMs: history * 1000,
          scaleUpDelayMs: up * 1000,
          scaleDownDelayMs: down * 1000,
          scaleToZeroDelayMs: (down + zeroMore) * 1000,
          softMinReplicas: soft,
        },
      });
    }),
  );
});
