import { describe, expect, test } from 'vitest';
import { InvalidDocumentError } from '../invalidDocument.ts';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { resolveWorkload } from './resolve.ts';
import type { WorkloadSpec } from './resolved.ts';

function resolve(spec: string, metadata = '{ name: upscaler }'): WorkloadSpec {
  const text = `apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata: ${metadata}\nspec:\n${spec}`;
  const { documents, problems } = parseDocuments(text, { file: 'w.yaml' });
  expect(problems).toEqual([]);
  return resolveWorkload(documents[0]?.document, { baseDirectory: '/srv/models' });
}

test('the smallest document and all its defaults', () => {
  expect(resolve('  classes: [{ command: [node, worker.mjs] }]')).toEqual({
    key: { cluster: 'local', namespace: 'default', name: 'upscaler' },
    labels: {},
    annotations: {},
    classes: [
      {
        name: 'default',
        command: ['node', 'worker.mjs'],
        env: {},
        envFromHost: [],
        workingDirectory: '/srv/models',
        port: 'auto',
        resources: { requests: { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
        concurrency: 1,
        accepts: null,
        pricePerHourMicro: 0,
        currency: 'USD',
        terminationGraceMs: 30_000,
      },
    ],
    probes: {
      startup: { action: { type: 'tcp' }, timeoutMs: 1000, budgetMs: 120_000 },
      readiness: { action: { type: 'tcp' }, periodMs: 5000, timeoutMs: 1000, successThreshold: 1, failureThreshold: 3 },
      liveness: null,
    },
    serving: {
      routes: [{ host: null, pathPrefix: '/upscaler', headers: {}, model: null }],
      timeouts: { holdMs: 60_000, responseMs: 300_000, requestMs: 0, idleMs: 0 },
      buffer: { maxRequests: 1000, maxBodyBytes: 10_485_760, maxTotalBytes: 268_435_456 },
      balancing: 'leastConnections',
      affinity: null,
      deferrable: null,
      drainMs: 30_000,
    },
    scaling: {
      minReplicas: 0,
      maxReplicas: 1,
      initialReplicas: 0,
      windows: {
        stableMs: 60_000,
        panicMs: 6000,
        panicThreshold: 2,
        maxScaleUpRate: 1000,
        maxScaleDownRate: 2,
        targetUtilization: 1,
      },
      triggers: [{ name: 'concurrency', type: 'concurrency', target: 1 }],
      keepAliveMs: 60_000,
      behavior: {
        scaleUp: { stabilizationMs: 0, selectPolicy: 'Max', policies: [] },
        scaleDown: { stabilizationMs: 0, selectPolicy: 'Max', policies: [] },
      },
      schedules: [],
      events: [],
      paused: null,
      policy: { type: 'priced', onTimeMs: 5000, onTimeShare: null, costOfLatenessMicro: null },
    },
    update: { type: 'Rolling', maxSurge: 1, maxUnavailable: 0 },
    priority: 0,
    dependsOn: [],
    interruption: 'never',
  });
});

test('a document that says everything', () => {
  const spec = `
  cluster: eu
  classes:
    - name: cpu
      command: [node, worker.mjs]
      env: [{ name: MODEL, value: slim }, { name: EMPTY }]
      envFromHost: [HOME]
      workingDirectory: ../workers/./cpu
      port: 9000
      resources: { requests: { cpu: 500m, gpu: 0.5 }, limits: { cpu: 1, memory: 1Gi } }
      concurrency: 4
      accepts: { maxBodySize: 1Mi, maxTokens: 256, models: [a], headers: { X-Tier: free } }
      pricePerHour: 0.07
      currency: EUR
      terminationGrace: 5s
    - { name: gpu, command: [/opt/gpu], workingDirectory: /opt/, concurrency: 16, pricePerHour: "1.212", currency: EUR }
  probes:
    startup: { exec: { command: [./warm, "1"] }, timeout: 2s, budget: 10m }
    readiness: { http: { path: /healthz, headers: { X-A: b } }, period: 1s, timeout: 250ms, successThreshold: 2, failureThreshold: 4 }
    liveness: { tcp: {}, period: 1m }
  serving:
    routes:
      - { host: Up.Example, pathPrefix: /up/, headers: { X-Tier: free }, model: a }
    timeouts: { hold: 5s, response: 6s, request: 7s, idle: 8s }
    buffer: { maxRequests: 5, maxBodySize: 1k, maxTotalSize: 2k }
    balancing: random
    affinity: { header: X-Session }
    deferrable: { maxDelay: 12h, reserve: 0.2, maxRequests: 50 }
    drain: 1h
  scaling:
    minReplicas: 1
    maxReplicas: 9
    initialReplicas: 2
    windows: { stable: 30s, panic: 3s, panicThreshold: 3, maxScaleUpRate: 10, maxScaleDownRate: 1.5, targetUtilization: 0.8 }
    triggers:
      - { type: concurrency, target: 12.5 }
      - { name: rps, type: requestRate, target: 10 }
    keepAlive: 5m
    behavior:
      scaleUp: { policies: [{ type: Percent, value: 100 }, { type: Pods, value: 4, period: 1m }] }
      scaleDown: { stabilizationWindow: 5m, selectPolicy: Min, policies: [{ type: Pods, value: 1, period: 60s }] }
    schedules:
      - { name: day, timezone: Europe/Berlin, start: "0  8 * * 1-5", end: "0 18 * * 1-5", minReplicas: 2 }
    paused: { replicas: 2 }
  update: { type: Recreate, maxSurge: 0, maxUnavailable: 0 }
  priority: -5
  dependsOn: [embedder, { namespace: shared, name: tokenizer }]
  interruption: allowed
`;
  expect(resolve(spec, '{ name: up, namespace: vision, labels: { team: a }, annotations: { note: "x y" } }')).toEqual({
    key: { cluster: 'eu', namespace: 'vision', name: 'up' },
    labels: { team: 'a' },
    annotations: { note: 'x y' },
    classes: [
      {
        name: 'cpu',
        command: ['node', 'worker.mjs'],
        env: { MODEL: 'slim', EMPTY: '' },
        envFromHost: ['HOME'],
        workingDirectory: '/srv/workers/cpu',
        port: 9000,
        resources: {
          requests: { cpuMilli: 500, memoryBytes: 1_073_741_824, gpuMilli: 500 },
          limits: { cpuMilli: 1000, memoryBytes: 1_073_741_824 },
        },
        concurrency: 4,
        accepts: { maxBodyBytes: 1_048_576, maxTokens: 256, models: ['a'], headers: { 'x-tier': 'free' } },
        pricePerHourMicro: 70_000,
        currency: 'EUR',
        terminationGraceMs: 5000,
      },
      {
        name: 'gpu',
        command: ['/opt/gpu'],
        env: {},
        envFromHost: [],
        workingDirectory: '/opt',
        port: 'auto',
        resources: { requests: { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
        concurrency: 16,
        accepts: null,
        pricePerHourMicro: 1_212_000,
        currency: 'EUR',
        terminationGraceMs: 30_000,
      },
    ],
    probes: {
      startup: { action: { type: 'exec', command: ['./warm', '1'] }, timeoutMs: 2000, budgetMs: 600_000 },
      readiness: {
        action: { type: 'http', path: '/healthz', headers: { 'x-a': 'b' } },
        periodMs: 1000,
        timeoutMs: 250,
        successThreshold: 2,
        failureThreshold: 4,
      },
      liveness: {
        action: { type: 'tcp' },
        periodMs: 60_000,
        timeoutMs: 1000,
        successThreshold: 1,
        failureThreshold: 3,
      },
    },
    serving: {
      routes: [{ host: 'up.example', pathPrefix: '/up', headers: { 'x-tier': 'free' }, model: 'a' }],
      timeouts: { holdMs: 5000, responseMs: 6000, requestMs: 7000, idleMs: 8000 },
      buffer: { maxRequests: 5, maxBodyBytes: 1000, maxTotalBytes: 2000 },
      balancing: 'random',
      affinity: { header: 'x-session' },
      deferrable: { maxDelayMs: 43_200_000, reserve: 0.2, maxRequests: 50 },
      drainMs: 3_600_000,
    },
    scaling: {
      minReplicas: 1,
      maxReplicas: 9,
      initialReplicas: 2,
      windows: {
        stableMs: 30_000,
        panicMs: 3000,
        panicThreshold: 3,
        maxScaleUpRate: 10,
        maxScaleDownRate: 1.5,
        targetUtilization: 0.8,
      },
      triggers: [
        { name: 'concurrency', type: 'concurrency', target: 12.5 },
        { name: 'rps', type: 'requestRate', target: 10 },
      ],
      keepAliveMs: 300_000,
      behavior: {
        scaleUp: {
          stabilizationMs: 0,
          selectPolicy: 'Max',
          policies: [
            { type: 'Percent', value: 100, periodMs: 15_000 },
            { type: 'Pods', value: 4, periodMs: 60_000 },
          ],
        },
        scaleDown: {
          stabilizationMs: 300_000,
          selectPolicy: 'Min',
          policies: [{ type: 'Pods', value: 1, periodMs: 60_000 }],
        },
      },
      schedules: [
        { name: 'day', timezone: 'Europe/Berlin', start: '0 8 * * 1-5', end: '0 18 * * 1-5', minReplicas: 2 },
      ],
      events: [],
      paused: { replicas: 2 },
      policy: { type: 'windows' },
    },
    update: { type: 'Recreate', maxSurge: 0, maxUnavailable: 0 },
    priority: -5,
    dependsOn: [
      { cluster: 'eu', namespace: 'vision', name: 'embedder' },
      { cluster: 'eu', namespace: 'shared', name: 'tokenizer' },
    ],
    interruption: 'allowed',
  });
});

describe('defaults that depend on something', () => {
  const classes = '  classes: [{ command: [a] }]\n';

  test.each([
    ['[{ command: [a], concurrency: 8 }]', 8, 0.7],
    ['[{ command: [a], concurrency: 0 }]', 10, 0.7],
    ['[{ command: [a] }, { name: b, command: [b], concurrency: 6 }]', 6, 0.7],
    ['[{ command: [a] }, { name: b, command: [b], concurrency: 0 }]', 10, 0.7],
    ['[{ command: [a] }, { name: b, command: [b] }]', 1, 1],
  ])('trigger and utilization of %s', (list, target, targetUtilization) => {
    const { triggers, windows } = resolve(`  classes: ${list}`).scaling;
    expect(triggers).toEqual([{ name: 'concurrency', type: 'concurrency', target }]);
    expect(windows.targetUtilization).toBe(targetUtilization);
  });

  test('a route outside the namespace default, and none at all', () => {
    expect(resolve(classes, '{ name: a, namespace: b }').serving.routes).toMatchObject([{ pathPrefix: '/b/a' }]);
    expect(resolve(`${classes}  serving: { routes: [] }`).serving.routes).toEqual([]);
    expect(resolve(`${classes}  serving: { routes: [{ pathPrefix: / }] }`).serving.routes).toMatchObject([
      { pathPrefix: '/' },
    ]);
  });

  test('startup and readiness lend each other their action', () => {
    const ready = resolve(`${classes}  probes: { readiness: { http: { path: /r } } }`).probes;
    expect(ready.startup.action).toEqual({ type: 'http', path: '/r', headers: {} });
    const started = resolve(`${classes}  probes: { startup: { http: {} } }`).probes;
    expect(started.readiness.action).toEqual({ type: 'http', path: '/', headers: {} });
  });

  test('deferrable requests are off, and need slots that are counted', () => {
    expect(resolve(`${classes}  serving: { deferrable: {} }`).serving.deferrable).toEqual({
      maxDelayMs: 86_400_000,
      reserve: 0.1,
      maxRequests: 1000,
    });
    const text =
      'apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata: { name: up }\nspec:\n' +
      '  classes: [{ name: a, command: [a] }, { name: b, command: [b], concurrency: 0 }]\n' +
      '  serving: { deferrable: { maxDelay: 8d } }\n';
    const { problems } = parseDocuments(text, { file: 'w.yaml' });
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('the longest is 7d')]);
    const boundless = parseDocuments(text.replace('8d', '7d'), { file: 'w.yaml' }).problems;
    expect(boundless.map(({ line, message }) => `${line}: ${message}`)).toEqual([
      '6: deferrable requests fill free slots, and class b has no number of them (concurrency 0); ' +
        'give it a concurrency of 1 or more; concurrency is at w.yaml:5:78',
    ]);
  });

  test('initialReplicas follows minReplicas, paused has three forms', () => {
    expect(resolve(`${classes}  scaling: { minReplicas: 1 }`).scaling.initialReplicas).toBe(1);
    expect(resolve(`${classes}  scaling: { paused: true }`).scaling.paused).toEqual({ replicas: null });
    expect(resolve(`${classes}  scaling: { paused: {} }`).scaling.paused).toEqual({ replicas: null });
    expect(resolve(`${classes}  scaling: { paused: false }`).scaling.paused).toBeNull();
  });
});

test('what is not valid is thrown with its problems', () => {
  expect(() => resolveWorkload({ kind: 'Workload' }, { baseDirectory: '/' })).toThrow(InvalidDocumentError);
  expect(() => resolveWorkload(null, { baseDirectory: '/' })).toThrow('the document');
});

test('a spec is plain JSON', () => {
  const spec = resolve('  classes: [{ command: [a] }]');
  expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
});
