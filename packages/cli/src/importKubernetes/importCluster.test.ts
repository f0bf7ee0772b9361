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
  return { ...result, cluster, fate, text };
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

  it('keeps an HPA whose metric has a source that it does not name, and says so', () => {
    const { fate, text } = imported([deployment('web'), hpa('web', [cpu, external])]);
    expect(fate('HorizontalPodAutoscaler shop/web')?.notes.join()).toContain('External queue: an HPA does not say');
    expect(text('shop/horizontalpodautoscaler-web.yaml')).toContain('kind: HorizontalPodAutoscaler');
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
