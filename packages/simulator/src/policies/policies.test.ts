import { describe, expect, it } from 'vitest';
import { resolveScaledObject, resolveWorkload } from '@ebb/documents';
import { comparableModel } from '../contract/model.ts';
import { poisson } from '../generators/poisson.ts';
import { run, tokenModel, traceOf } from '../run/simulate.fixture.ts';
import { comparableWorkload } from './comparableWorkload.ts';
import { policyDocuments, rehearsalPolicies } from './registry.ts';

const model = comparableModel(60_000);
const base = comparableWorkload('chat', model);
const documents = (name: string) => policyDocuments(name, base, { model, maxReplicas: 50 });

describe('policyDocuments', () => {
  it('makes valid documents of every policy’s example', () => {
    for (const { example } of rehearsalPolicies) {
      const [workload, scaledObject] = documents(example);
      expect(resolveWorkload(workload?.document, { baseDirectory: '/' }).key).toEqual(workload?.key);
      if (scaledObject) expect(resolveScaledObject(scaledObject.document).target.name).toBe('chat');
    }
  });

  it('takes minimum and target from the name', () => {
    const spec = resolveScaledObject(documents('keda:min1,70')[1]?.document);
    expect(spec.minReplicas).toBe(1);
    expect(spec.maxReplicas).toBe(50);
    expect(spec.triggers[0]?.metadata['targetValue']).toBe('5.6');
    expect(resolveScaledObject(documents('hpa:50')[1]?.document).minReplicas).toBe(1);
    const knative = resolveWorkload(documents('knative:min2')[0]?.document, { baseDirectory: '/' });
    expect(knative.scaling.minReplicas).toBe(2);
  });

  it('refuses what it does not know, and says what it knows', () => {
    expect(() => documents('keda:fast')).toThrow('policy keda: "fast" is not known; allowed are minN and a target');
    expect(() => documents('hpa:min0')).toThrow('cannot go to zero');
    expect(() => documents('keepalive')).toThrow('found nothing');
    expect(() => documents('keepalive:2h')).toThrow('a length up to 1h');
    expect(() => documents('always-on:few')).toThrow('as in always-on:4; found few');
    expect(() => documents('knativ')).toThrow('did you mean knative?');
  });
});

describe('policies at work', () => {
  it('keepalive keeps a replica for its time after the last request, to the second', async () => {
    const rows = [0, 100, 250].map((seconds) => ({ atUs: seconds * 1_000_000, tokens: 1000 }));
    const result = await run(traceOf(rows), tokenModel(4), 'keepalive:120s', { spanMs: 600_000 });
    // Cold at 0 and, 149 s after the end at 101, again at 250: (10 + 1 + 89 + 1 + 120) + (10 + 1 + 120) s.
    expect(result.coldStarts).toBe(2);
    expect(result.replicaSeconds).toBeGreaterThan(221 + 131 - 1);
    expect(result.replicaSeconds).toBeLessThan(221 + 131 + 3);
  });

  it('keda notices the first request at its next poll, knative at once', async () => {
    const rows = [{ atUs: 400_000_000, tokens: 1000 }];
    const keda = await run(traceOf(rows), tokenModel(4), 'keda', { spanMs: 1_200_000 });
    // Polls are at 390 and 420 s: 20 s late, 10 s of cold start, 300 s of cool-down after the last active poll.
    expect(keda.waitMs.max).toBeGreaterThanOrEqual(30_000);
    expect(keda.waitMs.max).toBeLessThan(30_100);
    expect(keda.replicaSeconds).toBeGreaterThanOrEqual(300);
    expect(keda.replicaSeconds).toBeLessThan(400);
    const knative = await run(traceOf(rows), tokenModel(4), 'knative', { spanMs: 1_200_000, startReplicas: 1 });
    expect(knative.waitMs.max).toBeGreaterThanOrEqual(10_000);
    expect(knative.waitMs.max).toBeLessThan(10_100);
    // The initial replica leaves first, after its stable window and grace.
    expect(knative.replicaSeconds).toBeLessThan(300);
  });

  it('a longer keep-alive never costs less, and is never later', async () => {
    const trace = poisson({ seed: 6, spanSeconds: 7200, ratePerSecond: 0.02, tokens: { median: 2000, sigma: 1 } });
    const results = [];
    for (const length of ['10s', '60s', '300s', '1800s'])
      results.push(await run(trace, tokenModel(4), `keepalive:${length}`));
    const costs = results.map(({ replicaSeconds }) => replicaSeconds);
    const onTime = results.map((result) => result.onTime);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
    expect(onTime).toEqual([...onTime].sort((a, b) => a - b));
  });
});
