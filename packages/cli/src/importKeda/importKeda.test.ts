import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { parseDocuments } from '@ebb/documents';
import { scalers } from '@ebb/scalers';
import { beforeEach, describe, expect, it } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';

const folder = commandFolder({ of: 'test' });
const { at, read, ebb } = folder;

beforeEach(() => {
  mkdirSync(at('k8s', 'jobs'), { recursive: true });
});

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: mailer, namespace: post }
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 90
      containers:
        - { name: proxy, image: envoy }
        - name: mailer
          image: acme/mailer:1
          command: [node, mailer.mjs]
          args: [--fast]
          env:
            - { name: RABBITMQ_URL, valueFrom: { secretKeyRef: { name: rabbit, key: url } } }
            - { name: LEVEL, value: info }
            - { name: PORT, value: "8080" }
          ports: [{ containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 3 }
          resources: { requests: { cpu: 500m, memory: 256Mi }, limits: { nvidia.com/gpu: 1 } }
---
apiVersion: v1
kind: Service
metadata: { name: mailer, namespace: post }
spec: { ports: [{ port: 80 }] }
`;
const rabbitmq = `type: rabbitmq
      name: mails
      metadata: { queueName: mails, hostFromEnv: RABBITMQ_URL, mode: QueueLength, value: "20" }`;
const scaledObject = (...triggers: string[]) => `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: mailer, namespace: post }
spec:
  scaleTargetRef: { name: mailer, envSourceContainerName: mailer }
  triggers:
${triggers.map((trigger) => `    - ${trigger}\n`).join('')}`;
const write = (path: string, text: string) => folder.write(`k8s/${path}`, text);

describe('ebb import keda', () => {
  it('ends with 0 where all triggers work, and says how to react at once', async () => {
    write('all.yaml', `${deployment}---\n${scaledObject(rabbitmq)}`);
    const { code, out } = await ebb('import', 'keda', '-f', 'k8s');
    expect(code).toBe(0);
    expect(out).toMatch(/scaledobject\/mailer +mails +rabbitmq +✓ works\n/);
    expect(out).toContain('1 of 1 trigger works here.');
    expect(out).toContain('ebb.dev/improvements: "true"');
  });

  it('tells what each trigger needs, over several files that are read together', async () => {
    write('object.yaml', scaledObject(rabbitmq, 'type: aws-sqs-queue\n      metadata: { queueURL: q, awsRegion: r }'));
    write(
      'jobs/job.yaml',
      `apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: { name: render, namespace: post }
spec:
  jobTargetRef: { template: { spec: { containers: [{ name: r, command: [./r] }] } } }
  triggers:
    - { type: kafka, name: a, authenticationRef: { name: sasl }, metadata: { bootstrapServers: "k:9092", consumerGroup: g } }
    - { type: kafka, name: b, authenticationRef: { name: gone }, metadata: { bootstrapServers: "k:9092", consumerGroup: g } }
    - { type: redis, name: c, metadata: { address: "r:6379", listName: l, listLength: "0" } }
    - { type: prometheus, name: d, authenticationRef: { name: cloud }, metadata: { serverAddress: "http://p", query: up, threshold: "1" } }
    - { type: redis, name: e, authenticationRef: { name: vault }, metadata: { address: "r:6379", listName: l } }
    - { type: prometheus, name: g, authenticationRef: { name: eks }, metadata: { serverAddress: "http://p", query: up, threshold: "1", awsRegion: r } }
    - { type: prometheus, name: h, authenticationRef: { name: eks }, metadata: { serverAddress: "http://p", query: up, threshold: "1", awsRegion: r, identityOwner: operator } }
    - { type: prometheus, name: f, authenticationRef: { name: theirs }, metadata: { serverAddress: "http://p", query: up, threshold: "1", awsRegion: r } }
`,
    );
    write(
      'auth.yaml',
      `apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: sasl, namespace: post }
spec: { secretTargetRef: [{ parameter: username, name: kafka, key: user }] }
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: cloud, namespace: post }
spec: { podIdentity: { provider: azure-workload } }
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: vault, namespace: post }
spec: { gcpSecretManager: { podIdentity: { provider: gcp }, secrets: [{ parameter: password, id: redis }] } }
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: theirs, namespace: post }
spec: { podIdentity: { provider: aws, identityOwner: workload } }
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: eks, namespace: post }
spec: { podIdentity: { provider: aws-eks } }
`,
    );
    const { code, out } = await ebb('import', 'keda', '-f', 'k8s', '--json');
    expect(code).toBe(1);
    const { counts, triggers } = JSON.parse(out);
    expect(counts).toEqual({ triggers: 10, working: 1 });
    const results = Object.fromEntries(
      triggers.map((one: { trigger: string; result: string; reasons: string[] }) => [
        one.trigger,
        [one.result, ...one.reasons],
      ]),
    );
    expect(results).toEqual({
      mails: ['works'],
      's1-aws-sqs-queue': ['not available', expect.stringContaining('Amazon SQS')],
      a: ['needs', 'the Secret "kafka" is not among the files: apply it too'],
      b: ['needs', 'the TriggerAuthentication "gone" is not among the files'],
      c: ['needs', expect.stringContaining('listLength must be a whole number')],
      d: [
        'needs',
        `the pod identity azure-workload of the TriggerAuthentication "cloud" is Ebb's own: what Ebb runs as needs it`,
      ],
      e: ['needs', `the pod identity gcp of the TriggerAuthentication "vault" is Ebb's own: what Ebb runs as needs it`],
      f: ['not available', expect.stringContaining('identityOwner workload of the TriggerAuthentication "theirs"')],
      g: ['not available', expect.stringContaining('the pod identity aws-eks of the TriggerAuthentication "eks"')],
      h: ['needs', expect.stringContaining('aws-eks')],
    });
    expect((await ebb('import', 'keda', '-f', 'k8s')).out).toContain(
      '1 of 10 triggers works here; 6 need something, 3 are not available.',
    );
  });

  it('makes the Workload that is missing from the container that KEDA scales', async () => {
    write('all.yaml', `${deployment}---\n${scaledObject(rabbitmq)}`);
    const { code, out } = await ebb('import', 'keda', '-f', 'k8s', '--write', 'workloads');
    expect(code).toBe(0);
    expect(out).toContain('wrote workloads/mailer.yaml');
    const text = read('workloads/mailer.yaml');
    const { documents, problems } = parseDocuments(text, { file: 'mailer.yaml' });
    expect(problems).toEqual([]);
    expect(documents[0]?.document).toEqual({
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'Workload',
      metadata: { name: 'mailer', namespace: 'post' },
      spec: {
        classes: [
          {
            name: 'default',
            command: ['node', 'mailer.mjs', '--fast'],
            env: { LEVEL: 'info' },
            envFromHost: ['RABBITMQ_URL'],
            resources: { requests: { cpu: '500m', memory: '256Mi' }, limits: { gpu: '1' } },
            terminationGrace: '90s',
          },
        ],
        probes: { readiness: { http: { path: '/ready' }, period: '3s' } },
      },
    });
    expect(text).toContain('proxy beside it is left out');
    // With the Workload among the files nothing is missing any more.
    expect((await ebb('import', 'keda', '-f', 'k8s', '-f', 'workloads')).out).not.toContain('missing');
    expect((await ebb('validate', '-f', 'workloads')).code).toBe(0);
  });

  it('makes one to be filled in where there is no Deployment, and writes over nothing', async () => {
    write('object.yaml', scaledObject(rabbitmq));
    const { out } = await ebb('import', 'keda', '-f', 'k8s');
    expect(out).toContain('The Deployment "mailer" is not among the files.');
    folder.write('out/mailer.yaml', 'mine');
    const { code, err } = await ebb('import', 'keda', '-f', 'k8s', '--write', 'out');
    expect(code).toBe(2);
    expect(err).toContain('"out/mailer.yaml" is there already; nothing was written');
    expect(read('out/mailer.yaml')).toBe('mine');
  });

  it('ends with 2 for what cannot be read, and still tells the rest', async () => {
    write('a.yaml', scaledObject(rabbitmq));
    write('b.yaml', 'apiVersion: keda.sh/v1\nkind: ScaledObject\nmetadata: { name: x }\nspec: {}\n');
    const { code, out, err } = await ebb('import', 'keda', '-f', 'k8s');
    expect(code).toBe(2);
    expect(err).toMatch(/b\.yaml:1:\d+: error: .*v1alpha1/);
    expect(out).toContain('1 of 1 trigger works here.');
  });

  it('changes nothing without --write', async () => {
    write('all.yaml', `${deployment}---\n${scaledObject(rabbitmq)}`);
    await ebb('import', 'keda', '-f', 'k8s');
    expect(readdirSync(at())).toEqual(['k8s']);
    expect(existsSync(at('.ebb'))).toBe(false);
  });
});

describe('ebb validate', () => {
  it('checks the settings of triggers', async () => {
    write('object.yaml', scaledObject(rabbitmq.replace('queueName', 'queuename')));
    const { code, err } = await ebb('validate', '-f', 'k8s');
    expect(code).toBe(2);
    expect(err).toContain(
      'queueName is missing: give text as metadata.queueName; KEDA would set Ready=False when it runs',
    );
    expect(err).toContain('did you mean "queueName"?');
  });

  it('tells that a type is not available, and finds the rest fine', async () => {
    write('object.yaml', scaledObject('type: mongodb\n      metadata: {}'));
    const { code, err } = await ebb('validate', '-f', 'k8s');
    expect(code).toBe(0);
    expect(err).toContain('MongoDB is not available here: it is shown as Unsupported');
  });

  it('refuses two ScaledObjects for one target, as KEDA does', async () => {
    write('a.yaml', scaledObject(rabbitmq));
    write('b.yaml', scaledObject(rabbitmq).replace('name: mailer, namespace', 'name: second, namespace'));
    const { code, err } = await ebb('validate', '-f', 'k8s');
    expect(code).toBe(2);
    expect(err).toContain('"mailer" is scaled by the ScaledObject "mailer" already');
  });
});

describe('ebb scalers', () => {
  it('lists every scaler with how news come and the rights it needs', async () => {
    const { code, out } = await ebb('scalers');
    expect(code).toBe(0);
    for (const { type, summary } of scalers) expect(out).toMatch(new RegExp(`^${type} .*${summary.slice(0, 20)}`, 'm'));
    expect(out).toContain('azure-servicebus');
    expect(JSON.parse((await ebb('scalers', '--json')).out).scalers).toHaveLength(scalers.length);
  });

  it('explains one with all its settings', async () => {
    for (const { type, parameters } of scalers) {
      const { code, out } = await ebb('scalers', type);
      expect(code).toBe(0);
      for (const name of Object.keys(parameters)) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
    const parsed = JSON.parse((await ebb('scalers', 'kafka', '--json')).out);
    expect(parsed.parameters).toContainEqual(
      expect.objectContaining({ name: 'lagThreshold', from: ['metadata'], required: false, default: 10 }),
    );
  });

  it('names the nearest, and what to do about a type that is not available', async () => {
    expect(await ebb('scalers', 'kafak')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean "kafka"?'),
    });
    expect(await ebb('scalers', 'mongodb')).toMatchObject({
      code: 2,
      err: expect.stringContaining('is not available here'),
    });
    expect((await ebb('__complete', 'scalers', 'rabb')).out).toContain('rabbitmq\t');
  });
});
