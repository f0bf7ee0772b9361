import { resolveHpa, resolveScaledObject, yamlValues } from '@ebb/documents';
import type { ReadObject } from '@ebb/kubernetes';
import { describe, expect, it } from 'vitest';
import { readDocuments } from '../documents.ts';
import { importCluster } from './importCluster.ts';
import { madeUpLoad, readmeText, rehearsedNames } from './readme.ts';

const object = (
  apiVersion: string,
  kind: string,
  name: string,
  spec: object,
  more: { namespace?: string; owner?: string; annotations?: Record<string, string>; data?: object } = {},
): ReadObject => {
  const { namespace = 'shop', owner = null, annotations, data } = more;
  const metadata = { name, ...(namespace === '' ? {} : { namespace }), ...(annotations ? { annotations } : {}) };
  return {
    apiVersion,
    kind,
    namespace,
    name,
    owner,
    document: { apiVersion, kind, metadata, ...(data ? { data } : { spec }) },
  };
};
const pods = (image = 'worker:1') => ({
  template: {
    spec: {
      containers: [
        {
          name: 'main',
          image,
          command: ['worker'],
          env: [{ name: 'DATABASE_PASSWORD', value: 'sesame' }],
          resources: { requests: { cpu: '500m', memory: '1Gi' } },
        },
      ],
    },
  },
});
const deployment = (name: string, replicas = 2) => object('apps/v1', 'Deployment', name, { replicas, ...pods() });
const hpa = (name: string, metrics: object[], owner?: string) =>
  object(
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    name,
    {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 2,
      maxReplicas: 9,
      metrics,
      behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
    },
    owner === undefined ? {} : { owner },
  );
const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } };
const memory = {
  type: 'ContainerResource',
  containerResource: { name: 'memory', container: 'main', target: { type: 'AverageValue', averageValue: '512Mi' } },
};
const external = {
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } },
};
const scaledObject = (
  name: string,
  target = name,
  metadata: object = { address: 'redis:6379', listName: 'x', listLength: '5' },
) =>
  object('keda.sh/v1alpha1', 'ScaledObject', name, {
    scaleTargetRef: { name: target },
    triggers: [{ type: 'redis', metadata }],
  });

function imported(objects: ReadObject[], all = false) {
  const cluster = { objects, missing: [], forbidden: [] };
  const result = importCluster(cluster, { all });
  const { problems } = readDocuments(result.files.map(({ path, text }) => ({ name: path, path: null, text })));
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const fate = (name: string) => result.fates.find((one) => one.object === name);
  const text = (path: string) => result.files.find((one) => one.path === path)?.text ?? '';
  const document = (path: string) => yamlValues(text(path))[0];
  return { ...result, cluster, fate, text, document };
}

describe('ebb import kubernetes', () => {
  it('makes a ScaledObject with its arithmetic of an HPA by cpu and memory, and a Workload of what it scales', () => {
    const { fate, text, files } = imported([deployment('web'), hpa('web', [cpu, memory])]);
    expect(fate('HorizontalPodAutoscaler shop/web')?.result).toBe('translated');
    expect(files.map(({ path }) => path).sort()).toEqual(['shop/scaledobject-web.yaml', 'workloads/shop-web.yaml']);
    expect(text('shop/scaledobject-web.yaml')).toContain('minReplicaCount: 2');
    expect(text('shop/scaledobject-web.yaml')).toContain('metricType: Utilization');
    expect(text('shop/scaledobject-web.yaml')).toContain('value: 512Mi\n        containerName: main');
    expect(text('shop/scaledobject-web.yaml')).toContain('stabilizationWindowSeconds: 60');
    expect(text('workloads/shop-web.yaml')).toContain('cpu: 500m');
    expect(text('workloads/shop-web.yaml')).toContain('minReplicas: 2\n    maxReplicas: 9');
  });

  it('asks the metrics APIs for what an HPA has them asked for, and says which rights that takes', () => {
    const selector = { matchLabels: { queue: 'orders' }, matchExpressions: [{ key: 'old', operator: 'DoesNotExist' }] };
    const metrics = [
      cpu,
      {
        type: 'External',
        external: { metric: { name: 'ready', selector }, target: { type: 'AverageValue', averageValue: '500m' } },
      },
      {
        type: 'Pods',
        pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } },
      },
      {
        type: 'Object',
        object: {
          describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'front' },
          metric: { name: 'hits' },
          target: { type: 'Value', value: '2k' },
        },
      },
    ];
    const [web] = [deployment('web')].map((one) => ({
      ...one,
      document: {
        ...one.document,
        spec: {
          ...(one.document.spec as object),
          selector: {
            matchLabels: { app: 'web' },
            matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }],
          },
        },
      },
    }));
    const { fate, document } = imported([web ?? deployment('web'), hpa('web', metrics)]);
    expect(document('shop/scaledobject-web.yaml')).toMatchObject({
      spec: {
        triggers: [
          { type: 'cpu' },
          {
            type: 'kubernetes-metrics',
            metricType: 'AverageValue',
            metadata: { metricName: 'ready', metricSelector: 'queue=orders,!old', targetValue: '0.5' },
          },
          {
            metricType: 'AverageValue',
            metadata: { api: 'custom', object: 'pods', podSelector: 'app=web,tier in (a,b)', metricName: 'requests' },
          },
          {
            metricType: 'Value',
            metadata: {
              api: 'custom',
              object: 'ingresses.networking.k8s.io/front',
              metricName: 'hits',
              targetValue: '2000',
            },
          },
        ],
      },
    });
    const told = fate('HorizontalPodAutoscaler shop/web');
    expect(told?.result).toBe('translated');
    for (const right of [
      'list ready of external.metrics.k8s.io',
      'get pods/requests of custom.metrics.k8s.io',
      'get ingresses.networking.k8s.io/hits of custom.metrics.k8s.io',
    ]) {
      expect(told?.notes.join()).toContain(right);
    }
  });

  it.each([
    [
      'Object hits: it is of a Zebra',
      {
        type: 'Object',
        object: {
          describedObject: { kind: 'Zebra', name: 'z' },
          metric: { name: 'hits' },
          target: { type: 'Value', value: '2' },
        },
      },
    ],
    [
      'Resource ephemeral-storage: there is no trigger but for cpu and memory',
      {
        type: 'Resource',
        resource: { name: 'ephemeral-storage', target: { type: 'AverageValue', averageValue: '1Gi' } },
      },
    ],
    [
      'ContainerResource nvidia.com-gpu: there is no trigger but for cpu and memory',
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'nvidia.com-gpu',
          container: 'main',
          target: { type: 'Utilization', averageUtilization: 5 },
        },
      },
    ],
    [
      'Pods requests: the labels of the pods are not known',
      { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } } },
    ],
  ])('keeps an HPA of which no trigger reads the same: %s', (why, metric) => {
    const { fate, text } = imported([hpa('web', [cpu, metric])]);
    const told = fate('HorizontalPodAutoscaler shop/web');
    expect(told?.result).toBe('taken');
    expect(told?.notes.join()).toContain(why);
    expect(text('shop/horizontalpodautoscaler-web.yaml')).toContain('kind: HorizontalPodAutoscaler');
  });

  // What of an HPA's fields counts for its count is in the ScaledObject, and by Ebb's own reading it is the same.
  it.each<[string, object, string | undefined]>([
    ['nothing but bounds', {}, undefined],
    [
      'minReplicas 0 with a metric that is there without pods',
      { minReplicas: 0, metrics: [external] },
      'cooldownPeriod',
    ],
    ['no metric: cpu at 80 %', { metrics: undefined }, undefined],
    ['a container', { metrics: [memory] }, undefined],
    [
      'policies, windows, tolerances and forbidden directions',
      {
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 30,
            selectPolicy: 'Min',
            tolerance: '50m',
            policies: [
              { type: 'Percent', value: 50, periodSeconds: 60 },
              { type: 'Pods', value: 2, periodSeconds: 15 },
            ],
          },
          scaleDown: { selectPolicy: 'Disabled' },
        },
      },
      undefined,
    ],
  ])('carries over %s', (_what, fields, note) => {
    const metadata = { name: 'web', namespace: 'shop' };
    const spec = {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web' },
      ...{ minReplicas: 2, maxReplicas: 9, metrics: [cpu], ...fields },
    };
    const document = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata, spec };
    const written = resolveHpa(JSON.parse(JSON.stringify(document)));
    const one = { ...hpa('web', []), document: JSON.parse(JSON.stringify(document)) as ReadObject['document'] };
    const { fate, document: made } = imported([one]);
    const read = resolveScaledObject(made('shop/scaledobject-web.yaml'));
    expect([read.minReplicas, read.maxReplicas]).toEqual([written.minReplicas, written.maxReplicas]);
    expect(read.behavior).toEqual(written.behavior);
    expect(read.target).toMatchObject(written.target);
    expect(read.triggers).toHaveLength(written.metrics.length);
    if (note) expect(fate('HorizontalPodAutoscaler shop/web')?.notes.join()).toContain(note);
  });

  it('reads what Ebb is in charge of as it was before', () => {
    const before = hpa('web', [cpu]);
    const { behavior, ...spec } = before.document.spec as Record<string, unknown>;
    const kept = { spec: { minReplicas: 2, maxReplicas: 9, behavior }, annotations: { 'ebb.dev/mode': null } };
    const taken = {
      ...before,
      document: {
        ...before.document,
        metadata: {
          name: 'web',
          annotations: {
            'ebb.dev/mode': 'control',
            'ebb.dev/taken-over': JSON.stringify(kept),
            'ebb.dev/improvements': 'true',
          },
        },
        spec: {
          ...spec,
          minReplicas: 1,
          maxReplicas: 2_147_483_647,
          behavior: { scaleUp: { selectPolicy: 'Disabled' } },
        },
      },
    };
    const orders = scaledObject('orders');
    const annotations = { 'ebb.dev/mode': 'control', 'autoscaling.keda.sh/paused': 'true', 'ebb.dev/taken-over': '{}' };
    const paused = { ...orders, document: { ...orders.document, metadata: { name: 'orders', annotations } } };
    const { text } = imported([deployment('web'), taken, deployment('orders'), paused]);
    expect(text('shop/scaledobject-web.yaml')).toContain('maxReplicaCount: 9');
    expect(text('shop/scaledobject-web.yaml')).toContain('stabilizationWindowSeconds: 60');
    expect(text('shop/scaledobject-web.yaml')).toContain('ebb.dev/improvements: "true"');
    expect(text('workloads/shop-web.yaml')).toContain('maxReplicas: 9');
    expect(text('shop/scaledobject-orders.yaml')).not.toContain('paused');
  });

  it('takes the objects of KEDA as they are, leaves its HPAs aside, and Deployments that nothing scales', () => {
    const objects = [
      deployment('orders'),
      deployment('alone', 3),
      scaledObject('orders'),
      hpa('keda-hpa-orders', [external], 'ScaledObject/orders'),
      object('keda.sh/v1alpha1', 'TriggerAuthentication', 'rabbit', {
        secretTargetRef: [{ parameter: 'host', name: 'rabbit', key: 'url' }],
      }),
      object('autoscaling.k8s.io/v1', 'VerticalPodAutoscaler', 'orders', {
        targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' },
      }),
    ];
    const { fate } = imported(objects);
    expect(fate('ScaledObject shop/orders')).toMatchObject({
      result: 'taken',
      files: ['shop/scaledobject-orders.yaml'],
    });
    expect(fate('TriggerAuthentication shop/rabbit')?.result).toBe('taken');
    expect(fate('VerticalPodAutoscaler shop/orders')?.result).toBe('taken');
    expect(fate('HorizontalPodAutoscaler shop/keda-hpa-orders')?.notes[0]).toContain('KEDA made it');
    expect(fate('Deployment shop/alone')).toMatchObject({ result: 'left aside', files: [] });
    const whole = imported(objects, true);
    expect(whole.text('workloads/shop-alone.yaml')).toContain('minReplicas: 3');
  });

  it('leaves aside what Ebb would refuse, with the reason, and of two that scale one target the second', () => {
    const wrong = object('keda.sh/v1alpha1', 'ScaledObject', 'wrong', {
      scaleTargetRef: { name: 'web' },
      minReplicaCount: 9,
      maxReplicaCount: 3,
      triggers: [{ type: 'redis', metadata: {} }],
    });
    const { fate } = imported([deployment('web'), wrong, scaledObject('first', 'web'), hpa('web', [cpu])]);
    expect(fate('ScaledObject shop/wrong')?.result).toBe('left aside');
    expect(fate('ScaledObject shop/wrong')?.notes.join()).toContain('9');
    expect(fate('ScaledObject shop/first')?.result).toBe('taken');
    expect(fate('HorizontalPodAutoscaler shop/web')?.notes.join()).toContain(
      'is scaled by the ScaledObject "first" already',
    );
  });

  it('writes no value that may be secret, and says where one was', () => {
    const url = scaledObject('orders', 'orders', {
      address: 'redis:6379',
      password: 'hunter2',
      listName: 'x',
      listLength: '5',
    });
    const job = object('keda.sh/v1alpha1', 'ScaledJob', 'resize', {
      jobTargetRef: {
        template: {
          spec: {
            containers: [
              {
                name: 'main',
                image: 'resize',
                command: ['resize'],
                env: [
                  { name: 'API_TOKEN', value: 'sesame' },
                  { name: 'BROKER', value: 'amqp://me:sesame@rabbit/' },
                ],
              },
            ],
            restartPolicy: 'Never',
          },
        },
      },
      triggers: [{ type: 'redis', metadata: { address: 'redis:6379', listName: 'y', listLength: '5' } }],
    });
    const { files, fates, cluster, fate, ...rest } = imported([deployment('orders'), url, job]);
    const everything = [...files.map(({ text }) => text), JSON.stringify(fates)].join('\n');
    expect(everything).not.toMatch(/sesame|hunter2/);
    expect(readmeText(cluster, { files, fates }, 'out')).not.toMatch(/sesame|hunter2/);
    expect(fate('ScaledObject shop/orders')?.notes.join()).toContain('spec.triggers[0].metadata.password');
    expect(rest.text('shop/scaledjob-resize.yaml')).toContain('amqp://me:LEFT-OUT@rabbit/');
  });

  it("translates services of Knative and KServe into the policy with Knative's arithmetic", () => {
    const annotations = {
      'autoscaling.knative.dev/min-scale': '1',
      'autoscaling.knative.dev/max-scale': '7',
      'autoscaling.knative.dev/target': '20',
      'autoscaling.knative.dev/window': '90s',
      'autoscaling.knative.dev/strange': 'x',
    };
    const { template } = pods('site:1');
    const service = object('serving.knative.dev/v1', 'Service', 'site', {
      template: { metadata: { annotations }, spec: { ...template.spec, containerConcurrency: 50 } },
    });
    const predictor = {
      minReplicas: 0,
      maxReplicas: 4,
      scaleTarget: 3,
      model: { modelFormat: { name: 'onnx' }, storageUri: 's3://m' },
    };
    const inference = object('serving.kserve.io/v1beta1', 'InferenceService', 'vision', { predictor });
    const raw = object('serving.kserve.io/v1beta1', 'InferenceService', 'raw', { predictor });
    const made = object('apps/v1', 'Deployment', 'raw-predictor', pods(), { owner: 'InferenceService/raw' });
    const { text, fate } = imported([service, inference, raw, made]);
    expect(text('workloads/shop-site.yaml')).toMatch(/concurrency: 50/);
    expect(text('workloads/shop-site.yaml')).toMatch(
      /minReplicas: 1\n {4}maxReplicas: 7\n {4}policy:\n {6}type: knative\n {6}target: 20\n {6}stableWindow: 1m30s/,
    );
    expect(fate('Service shop/site')?.notes.join()).toContain('strange is not known');
    expect(text('workloads/shop-vision.yaml')).toMatch(/maxReplicas: 4\n {4}policy:\n {6}type: knative\n {6}target: 3/);
    expect(fate('InferenceService shop/raw')?.notes[0]).toContain('KServe made the Deployment "raw-predictor"');
  });

  it('brings the machines of Karpenter and of Cluster Autoscaler', () => {
    const pool = object('karpenter.sh/v1', 'NodePool', 'gpu', { weight: 3 }, { namespace: '' });
    const autoscaler = object(
      'apps/v1',
      'Deployment',
      'cluster-autoscaler',
      {
        template: {
          spec: {
            containers: [
              {
                image: 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.33',
                command: ['./ca', '--nodes=0:3:web', '--v=4'],
              },
            ],
          },
        },
      },
      { namespace: 'kube-system' },
    );
    const { files, fate } = imported([pool, autoscaler]);
    expect(
      files
        .map(({ path }) => path)
        .filter((path) => path.startsWith('cluster/nodepool-'))
        .sort(),
    ).toEqual(['cluster/nodepool-gpu.yaml', 'cluster/nodepool-web.yaml']);
    const flags = fate('Deployment kube-system/cluster-autoscaler');
    expect(flags?.result).toBe('translated');
  });

  it('prepares a rehearsal: a made-up day for each Workload, the same each time', () => {
    const result = imported([deployment('web'), hpa('web', [cpu]), deployment('orders'), scaledObject('orders')]);
    const names = rehearsedNames(result);
    expect(names).toEqual(['orders', 'web']);
    const load = madeUpLoad(names);
    expect(load).toBe(madeUpLoad(names));
    expect(load.split('\n')[0]).toBe('workload,minute,requests');
    const readme = readmeText(result.cluster, result, 'from-cluster');
    expect(readme).toContain('ebb rehearse -f from-cluster/workloads --trace from-cluster/rehearsal/load.csv');
  });
});
