import { expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveScaledJob } from './resolveScaledJob.ts';
import { resolveScaledObject } from './resolveScaledObject.ts';

const read = (text: string) => parseDocuments(text, { file: 'k.yaml' });
const errorsOf = (text: string) =>
  read(text)
    .problems.filter(({ severity }) => severity === 'error')
    .map(problemText);
const warningsOf = (text: string) => read(text).problems.filter(({ severity }) => severity === 'warning');

const object = (spec: string, metadata = 'name: bakery') => `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { ${metadata} }
spec:
  scaleTargetRef: { name: bakery }
${spec.replace(/^/gm, '  ')}
`;
const queue = 'triggers: [{ type: rabbitmq, metadata: { queueName: bread } }]';
const cpu = 'triggers: [{ type: cpu, metricType: Utilization, metadata: { value: "60" } }]';
const resolved = (text: string) => resolveScaledObject(read(text).documents[0]?.document);
const annotated = (annotations: string) => resolved(object(queue, `name: bakery, annotations: { ${annotations} }`));

test("what is left out has KEDA's defaults", () => {
  expect(resolved(object(queue))).toEqual({
    key: { cluster: 'local', namespace: 'default', name: 'bakery' },
    labels: {},
    annotations: {},
    target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'bakery', envSourceContainerName: null },
    minReplicas: 0,
    maxReplicas: 100,
    idleReplicas: null,
    pollingIntervalMs: 30_000,
    cooldownMs: 300_000,
    initialCooldownMs: 0,
    triggers: [
      {
        name: 's0-rabbitmq',
        type: 'rabbitmq',
        metadata: { queueName: 'bread' },
        metricType: 'AverageValue',
        useCachedMetrics: false,
        authentication: null,
      },
    ],
    fallback: null,
    modifiers: null,
    hpaName: 'keda-hpa-bakery',
    behavior: null,
    restoreToOriginalReplicaCount: false,
    pause: { paused: false, replicas: null, scaleIn: false, scaleOut: false },
    forceActivation: false,
    improvements: false,
  });
});

test('everything at once', () => {
  const text = object(`pollingInterval: 5
cooldownPeriod: 60
initialCooldownPeriod: 20
idleReplicaCount: 0
minReplicaCount: 2
maxReplicaCount: 9
fallback: { failureThreshold: 3, replicas: 4, behavior: currentReplicasIfHigher }
advanced:
  restoreToOriginalReplicaCount: true
  horizontalPodAutoscalerConfig:
    name: bread-hpa
    behavior: { scaleDown: { stabilizationWindowSeconds: 30 } }
  scalingModifiers: { formula: orders + cakes, target: "2.5", activationTarget: "1", metricType: Value }
triggers:
  - type: kafka
    name: orders
    metadata: { topic: orders }
    authenticationRef: { name: login }
    useCachedMetrics: true
  - type: my-own-scaler
    name: cakes
    metricType: Value
    metadata: { anything: goes }
    authenticationRef: { name: login, kind: ClusterTriggerAuthentication }`);
  expect(errorsOf(text)).toEqual([]);
  expect(resolved(text)).toMatchObject({
    minReplicas: 2,
    maxReplicas: 9,
    idleReplicas: 0,
    pollingIntervalMs: 5000,
    cooldownMs: 60_000,
    initialCooldownMs: 20_000,
    triggers: [
      {
        name: 'orders',
        metricType: 'AverageValue',
        useCachedMetrics: true,
        authentication: { kind: 'TriggerAuthentication', name: 'login' },
      },
      {
        type: 'my-own-scaler',
        metricType: 'Value',
        metadata: { anything: 'goes' },
        authentication: { kind: 'ClusterTriggerAuthentication', name: 'login' },
      },
    ],
    fallback: { failureThreshold: 3, replicas: 4, behavior: 'currentReplicasIfHigher' },
    modifiers: { formula: 'orders + cakes', target: 2.5, activationTarget: 1, metricType: 'Value' },
    hpaName: 'bread-hpa',
    behavior: { scaleDown: { stabilizationMs: 30_000 }, scaleUp: { policies: [{ value: 4 }, { value: 100 }] } },
    restoreToOriginalReplicaCount: true,
  });
});

test.each([
  ['autoscaling.keda.sh/paused: "true"', { paused: true }],
  ['autoscaling.keda.sh/paused: "False"', { paused: false }],
  ['autoscaling.keda.sh/paused: "0"', { paused: false }],
  ['autoscaling.keda.sh/paused: ""', { paused: true }],
  ['autoscaling.keda.sh/paused: "yes please"', { paused: true }],
  ['autoscaling.keda.sh/paused-replicas: "3", autoscaling.keda.sh/paused: "false"', { paused: false, replicas: 3 }],
  ['autoscaling.keda.sh/paused-scale-in: "true"', { scaleIn: true, scaleOut: false }],
  ['autoscaling.keda.sh/paused-scale-out: "t"', { scaleIn: false, scaleOut: true }],
])('%s', (annotations, pause) => {
  expect(annotated(annotations).pause).toMatchObject(pause);
});

test('more annotations', () => {
  expect(annotated('autoscaling.keda.sh/force-activation: "true"').forceActivation).toBe(true);
  expect(annotated('ebb.dev/improvements: "true"').improvements).toBe(true);
  expect(annotated('ebb.dev/improvements: "false"').improvements).toBe(false);
  const wrong = object(
    queue,
    'name: bakery, annotations: { ebb.dev/improvements: "on", autoscaling.keda.sh/paused-replicas: "-1" }',
  );
  expect(errorsOf(wrong)).toEqual([
    'k.yaml:3:64: error: ebb.dev/improvements must be "true" or "false", found "on"\n  allowed: true, false',
    'k.yaml:3:107: error: autoscaling.keda.sh/paused-replicas must be a whole number of at least 0, found "-1"',
  ]);
});

test('numbers and booleans without quotes are read as text, with a warning each', () => {
  const text = object(
    'triggers: [{ type: kafka, metadata: { lagThreshold: 50, allowIdleConsumers: true, topic: a } }]',
  );
  expect(errorsOf(text)).toEqual([]);
  expect(warningsOf(text).map(({ code, path }) => [code, path])).toEqual([
    ['unquoted-text', 'spec.triggers[0].metadata.lagThreshold'],
    ['unquoted-text', 'spec.triggers[0].metadata.allowIdleConsumers'],
  ]);
  expect(resolved(text).triggers[0]?.metadata).toEqual({ lagThreshold: '50', allowIdleConsumers: 'true', topic: 'a' });
});

test('a made-up name of a trigger never meets a given one', () => {
  const text = object('triggers: [{ type: cron, metadata: {} }, { type: kafka, name: s0-cron, metadata: {} }]');
  expect(resolved(text).triggers.map(({ name }) => name)).toEqual(['s0-cron-', 's0-cron']);
});

test('KEDA 1 is turned into KEDA 2', () => {
  const text = object(queue)
    .replace('keda.sh/v1alpha1', 'keda.k8s.io/v1alpha1')
    .replace('{ name: bakery }\n  tr', '{ deploymentName: bakery, containerName: oven }\n  tr');
  expect(errorsOf(text)).toEqual([]);
  expect(warningsOf(text)[0]?.code).toBe('older-version');
  expect(read(text).documents[0]?.document).toMatchObject({ apiVersion: 'keda.sh/v1alpha1' });
  expect(resolved(text).target).toMatchObject({ name: 'bakery', envSourceContainerName: 'oven' });
});

test.each([
  [
    object(queue).replace('v1alpha1', 'v1'),
    'k.yaml:1:13: error: there is no keda.sh/v1; write keda.sh/v1alpha1, which is the version that KEDA 2 serves',
  ],
  [object(queue).replace('kind: ScaledObject', 'kind: ScaledObjekt'), 'k.yaml:2:7: error: unknown kind "ScaledObjekt"'],
  [object('triggers: []'), 'k.yaml:6:13: error: spec.triggers must not be empty'],
  [
    object(`minReplicaCount: 5\nmaxReplicaCount: 3\n${queue}`),
    'k.yaml:6:20: error: minReplicaCount 5 is larger than maxReplicaCount 3; maxReplicaCount is at k.yaml:7:20',
  ],
  [
    object(`minReplicaCount: 2\nidleReplicaCount: 2\n${queue}`),
    'k.yaml:7:21: error: idleReplicaCount 2 must be less than minReplicaCount 2; minReplicaCount is at k.yaml:6:20',
  ],
  [
    object(`fallback: { failureThreshold: -1, replicas: 1 }\n${queue}`),
    'k.yaml:6:33: error: spec.fallback.failureThreshold must be at least 0, found -1',
  ],
  [
    object(`minReplicaCount: 1\nfallback: { failureThreshold: 1, replicas: 1 }\n${cpu}`),
    'k.yaml:7:13: error: a fallback needs a trigger other than cpu and memory; triggers is at k.yaml:8:13',
  ],
  [
    object(cpu),
    'k.yaml:4:1: error: with cpu and memory triggers alone there is no way back from zero; add another trigger or a minReplicaCount; triggers is at k.yaml:6:13',
  ],
  [
    object('minReplicaCount: 1\ntriggers: [{ type: cpu, metadata: { value: "60" } }]'),
    'k.yaml:7:22: error: a cpu trigger needs metricType Utilization or AverageValue\n  allowed: Utilization, AverageValue',
  ],
  [
    object('triggers: [{ type: kafka, metricType: Utilization, metadata: {} }]'),
    'k.yaml:6:41: error: metricType Utilization is for cpu and memory only, not for kafka\n  allowed: AverageValue, Value',
  ],
  [
    object('triggers: [{ type: cron, useCachedMetrics: true, metadata: {} }]'),
    'k.yaml:6:46: error: a cron trigger cannot use cached metrics',
  ],
  [
    object('triggers: [{ type: kafka, name: a, metadata: {} }, { type: cron, name: a, metadata: {} }]'),
    'k.yaml:6:74: error: trigger "a" is there twice; name is at k.yaml:6:35',
  ],
  [
    object(`advanced: { scalingModifiers: { formula: a } }\n${queue}`),
    'k.yaml:6:44: error: a formula needs a target\n  allowed: target',
  ],
  [
    object(`advanced: { scalingModifiers: { formula: a, target: "0" } }\n${queue}`),
    'k.yaml:6:55: error: target must be a number above 0, found "0"',
  ],
  [
    object(`advanced: { horizontalPodAutoscalerConfig: { name: ${'h'.repeat(64)} } }\n${queue}`),
    'k.yaml:6:54: error: spec.advanced.horizontalPodAutoscalerConfig.name must have at most 63 characters, found 64',
  ],
  [
    object(queue, `name: ${'n'.repeat(64)}`),
    "k.yaml:3:19: error: the name has 64 characters; a ScaledObject's may have 63",
  ],
])('%s', (text, expected) => {
  expect(errorsOf(text).map((error) => error.split('\n  allowed: Cluster')[0])).toEqual([expected]);
});

const job = (spec: string) => `apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: { name: oven }
spec:
  jobTargetRef: { template: { spec: { restartPolicy: Never } } }
  triggers: [{ type: redis, metadata: { listName: dough } }]
${spec.replace(/^/gm, '  ')}
`;
const resolvedJob = (text: string) => resolveScaledJob(read(text).documents[0]?.document);

test('what is written without quotes counts letter by letter, also in the document that is kept', () => {
  const text = object(
    `triggers:
  - type: kafka
    metadata:
      a: 010
      b: 1e3
      c: 1_000
      d: yes
      e: 0x1F
      f: 1.10
      g: True
      h: +5
      i: "010"
      j: "yes"
      k: plain
      l: 0o17
advanced: { scalingModifiers: { formula: a, target: 2.50 } }`,
  );
  expect(errorsOf(text)).toEqual([]);
  const { a, b, c, d, e, f, g, h, i, j, k, l } = resolved(text).triggers[0]?.metadata ?? {};
  expect([a, b, c, d, e, f, g, h, i, j, k, l]).toEqual([
    '010',
    '1e3',
    '1_000',
    'yes',
    '0x1F',
    '1.10',
    'True',
    '+5',
    '010',
    'yes',
    'plain',
    '0o17',
  ]);
  expect(read(text).documents[0]?.document).toMatchObject({
    spec: { triggers: [{ metadata: { a: '010', g: 'True' } }], advanced: { scalingModifiers: { target: '2.50' } } },
  });
  expect(warningsOf(text).map(({ code, path, line }) => `${code} ${path} ${line}`)).toEqual([
    ...'abcdefgh'.split('').map((key, index) => `unquoted-text spec.triggers[0].metadata.${key} ${index + 9}`),
    'unquoted-text spec.triggers[0].metadata.l 20',
    'unquoted-text spec.advanced.scalingModifiers.target 21',
  ]);
  expect(warningsOf(text)[0]?.message).toBe(
    'a is text: write "010" in quotes, which KEDA needs; it is read as that here',
  );
});

test('letter by letter within a List and behind an alias too', () => {
  const item = object('triggers: [{ type: a, metadata: { x: &n 007, y: *n } }]').trim().replaceAll('\n', '\n  ');
  const { documents, problems } = read(`kind: List\nitems:\n- ${item}\n`);
  expect(problems.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
    'warning items[0].spec.triggers[0].metadata.x',
    'warning items[0].spec.triggers[0].metadata.y',
  ]);
  expect(documents[0]?.document).toMatchObject({ spec: { triggers: [{ metadata: { x: '007', y: '007' } }] } });
});

test('a setting that is there twice is named with both places', () => {
  expect(errorsOf(object('triggers: [{ type: a, metadata: { topic: x, topic: y } }]'))).toEqual([
    'k.yaml:6:47: error: the key "topic" is there twice in this map; the first one is at k.yaml:6:37',
  ]);
});

test('a ScaledObject drives the Workload of its target: nothing to warn of, whatever the kind', () => {
  const text = object(queue).replace('{ name: bakery }\n  tr', '{ kind: Rollout, name: bakery }\n  tr');
  expect(read(text).problems).toEqual([]);
});

test('what is for the HPA of a cluster is told', () => {
  const annotations = 'annotations: { scaledobject.keda.sh/transfer-hpa-ownership: "true" }';
  const text = object(
    `advanced: { horizontalPodAutoscalerConfig: { name: own } }\n${queue}`,
    `name: bakery, ${annotations}`,
  );
  expect(warningsOf(text).map(({ path }) => path)).toEqual([
    'metadata.annotations["scaledobject.keda.sh/transfer-hpa-ownership"]',
    'spec.advanced.horizontalPodAutoscalerConfig.name',
  ]);
});

test("a ScaledJob has KEDA's defaults", () => {
  expect(resolvedJob(job('pollingInterval: 10'))).toMatchObject({
    jobTemplate: { template: { spec: { restartPolicy: 'Never' } } },
    pollingIntervalMs: 10_000,
    successfulJobsHistoryLimit: 100,
    failedJobsHistoryLimit: 100,
    minReplicas: 0,
    maxReplicas: null,
    scaling: {
      strategy: 'default',
      multipleScalersCalculation: 'max',
      pendingPodConditions: [],
      queueLengthDeduction: 0,
      runningJobPercentage: null,
    },
    rollout: { strategy: 'immediate', propagationPolicy: 'background' },
    paused: false,
    improvements: false,
  });
});

test('improvements of a ScaledJob are asked for by an annotation', () => {
  const asked = (value: string) => job('').replace('{ name: oven }', `{ name: oven, annotations: { ${value} } }`);
  expect(resolvedJob(asked('ebb.dev/improvements: "true"')).improvements).toBe(true);
  expect(resolvedJob(asked('ebb.dev/improvements: "false"')).improvements).toBe(false);
  expect(errorsOf(asked('ebb.dev/improvements: "1"'))).toHaveLength(1);
});

test.each([
  ['{ containers: [{ name: a, command: [node, x.mjs], args: [--once] }] }', []],
  [
    '{ containers: [{ name: a, image: i, command: [node] }] }',
    ['mode-not-available spec.jobTargetRef.template.spec.containers[0].image'],
  ],
  [
    '{ containers: [{ name: a, image: i }] }',
    [
      'mode-not-available spec.jobTargetRef.template.spec.containers[0]',
      'mode-not-available spec.jobTargetRef.template.spec.containers[0].image',
    ],
  ],
  [
    '{ initContainers: [{ name: i }], containers: [{ name: a, command: [x] }, { name: b, command: [y] }] }',
    [
      'mode-not-available spec.jobTargetRef.template.spec.initContainers[0]',
      'mode-not-available spec.jobTargetRef.template.spec.containers[1]',
    ],
  ],
  ['{ restartPolicy: Never }', ['mode-not-available spec.jobTargetRef.template.spec.containers']],
  [
    '{ containers: [{ name: a, command: 3 }] }',
    ['mode-not-available spec.jobTargetRef', 'mode-not-available spec.jobTargetRef.template.spec.containers[0]'],
  ],
])('the template %s on one machine', (template, expected) => {
  const text = job('').replace('{ restartPolicy: Never }', template);
  expect(errorsOf(text)).toEqual([]);
  expect(warningsOf(text).map(({ code, path }) => `${code} ${path}`)).toEqual(expected);
});

test('the container that is run is the one that is named', () => {
  const both = '{ containers: [{ name: a, command: [x] }, { name: b, command: [y] }] }';
  const text = (name: string) => job(`envSourceContainerName: ${name}`).replace('{ restartPolicy: Never }', both);
  expect(warningsOf(text('b')).map(({ path }) => path)).toEqual(['spec.jobTargetRef.template.spec.containers[0]']);
  expect(warningsOf(text('c')).map(({ message }) => message)).toEqual([
    'on one machine no Job can be made from it: jobTargetRef.template.spec has no container "c"',
  ]);
});

test.each(['rollout: { strategy: default }', 'rolloutStrategy: default'])('%s is accepted as immediate', (line) => {
  expect(errorsOf(job(line))).toEqual([]);
  expect(resolvedJob(job(line)).rollout.strategy).toBe('immediate');
  expect(warningsOf(job(line)).map(({ message }) => message)).toContain(
    '"default" is read as "immediate"; KEDA\'s API server refuses it',
  );
});

test('what KEDA accepts of a ScaledJob and turns into something else is told', () => {
  const text = job(`minReplicaCount: 5
maxReplicaCount: 3
rolloutStrategy: default
rollout: { strategy: gradual }
scalingStrategy: { strategy: custom, customScalingRunningJobPercentage: half }`);
  expect(errorsOf(text)).toEqual([]);
  expect(
    warningsOf(text)
      .filter(({ code }) => code === 'no-effect')
      .map(({ path }) => path),
  ).toEqual(['spec.minReplicaCount', 'spec.rolloutStrategy', 'spec.scalingStrategy.customScalingRunningJobPercentage']);
  expect(resolvedJob(text)).toMatchObject({ rollout: { strategy: 'immediate' }, scaling: { strategy: 'custom' } });
});

const identity = (fields: string) => `apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: login }
spec: { podIdentity: { ${fields} } }
`;

test.each([
  ['provider: aws, roleArn: r, identityOwner: workload', 'roleArn does not go together'],
  ['provider: aws, externalID: x', 'externalID needs roleArn'],
  ['provider: azure-workload, identityAuthorityHost: h', 'identityAuthorityHost needs identityTenantId'],
  ['provider: azure-workload, identityId: ""', 'identityId must not be empty'],
  ['provider: azure', 'unknown value "azure"'],
])('podIdentity { %s }', (fields, expected) => {
  expect(errorsOf(identity(fields))).toEqual([expect.stringContaining(expected)]);
});

test('both kinds of authentication with every source', () => {
  const spec = `spec:
  secretTargetRef: [{ parameter: host, name: rabbit, key: url }]
  configMapTargetRef: [{ parameter: tls, name: rabbit, key: tls }]
  env: [{ parameter: user, name: RABBIT_USER, containerName: app }]
  hashiCorpVault:
    address: https://vault:8200
    authentication: token
    credential: { token: t }
    secrets: [{ parameter: password, path: rabbit/login, key: password, type: secretV2 }]
  boundServiceAccountToken: [{ parameter: bearer, serviceAccountName: reader }]
`;
  for (const kind of ['TriggerAuthentication', 'ClusterTriggerAuthentication']) {
    const text = `apiVersion: keda.sh/v1alpha1\nkind: ${kind}\nmetadata: { name: login }\n${spec}`;
    expect(errorsOf(text)).toEqual([]);
    expect(read(text).documents[0]?.kind).toBe(kind);
  }
});
