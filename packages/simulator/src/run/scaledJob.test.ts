import { describe, expect, it } from 'vitest';
import { comparableModel } from '../contract/model.ts';
import { poisson } from '../generators/poisson.ts';
import { jobDocuments, lag, list, rehearseDocuments, workerDocuments } from './queueScenario.fixture.ts';
import { tokenModel, traceOf } from './simulate.fixture.ts';

const five = traceOf(Array.from({ length: 5 }, () => ({ atUs: 5_000_000, tokens: 20_000 })));
const accurate = { pollingInterval: 31, maxReplicaCount: 3, scalingStrategy: { strategy: 'accurate' as const } };

describe('a ScaledJob', () => {
  it('makes Jobs at its polls, each of which does one message', async () => {
    const result = await rehearseDocuments(five, tokenModel(1), jobDocuments(list, accurate), { price: 3_600_000 });
    // At 31 s three Jobs, which take a message at 41 s and end at 61 s; at 62 s two, until 92 s.
    expect(result).toMatchObject({ requests: 5, served: 5, coldStarts: 5, mostReplicas: 3, spanMs: 92_000 });
    expect(result.waitMs.mean).toBeCloseTo((3 * 36_000 + 2 * 67_000) / 5, 6);
    expect(result.replicaSeconds).toBeCloseTo(150, 6);
    expect(result.costMicro).toBe('150000');
    expect(result.servedSlotSeconds).toBe(100);
    expect(result.curves.ready[50]).toBe(3);
    expect(result.curves.ready[65]).toBe(0);
    expect(result.curves.billed[65]).toBe(2);
  });

  it('looks at an empty queue each 100 ms with the improvements, and again at the end of a Job', async () => {
    const trace = traceOf(Array.from({ length: 5 }, () => ({ atUs: 5_030_000, tokens: 20_000 })));
    const result = await rehearseDocuments(trace, tokenModel(1), jobDocuments(list, accurate, true));
    // Three Jobs at 5.1 s, which end at 35.1 s and leave room for two, until 65.1 s.
    expect(result).toMatchObject({ served: 5, coldStarts: 5, mostReplicas: 3, spanMs: 65_100 });
    expect(result.waitMs.max).toBe(40_070);
    expect(result.waitMs.mean).toBeCloseTo((3 * 10_070 + 2 * 40_070) / 5, 6);
    expect(result.replicaSeconds).toBeCloseTo(150, 6);
  });

  it.each([
    { perSecond: 8, spanSeconds: 300 },
    { perSecond: 1, spanSeconds: 600 },
    { perSecond: 0.05, spanSeconds: 6000 },
  ])('makes one Job for each message of a steady stream, soon: $perSecond a second', async (stream) => {
    const tokens = { median: 30_000, sigma: 0.3 };
    const trace = poisson({ seed: 4, spanSeconds: stream.spanSeconds, ratePerSecond: stream.perSecond, tokens });
    const model = { ...tokenModel(1), coldStart: comparableModel(300).coldStart };
    const spec = { maxReplicaCount: 1000, scalingStrategy: { strategy: 'accurate' as const } };
    const result = await rehearseDocuments(trace, model, jobDocuments(list, spec, true));
    expect(result).toMatchObject({ served: result.requests, coldStarts: result.requests });
    // Of 300 ms to start and a look a second; new messages hide that others are taken.
    expect(result.waitMs.p50).toBeLessThan(700);
  });

  it('makes a Job too many where the strategy does not fit what the source counts', async () => {
    // A lag counts messages that Jobs work on, and `accurate` makes Jobs for those once more.
    const result = await rehearseDocuments(
      five,
      tokenModel(1),
      jobDocuments(lag, { ...accurate, maxReplicaCount: 10, pollingInterval: 15 }),
    );
    expect(result.served).toBe(5);
    expect(result.coldStarts).toBeGreaterThan(5);
    const fitting = {
      ...accurate,
      maxReplicaCount: 10,
      pollingInterval: 15,
      scalingStrategy: { strategy: 'default' as const },
    };
    expect(await rehearseDocuments(five, tokenModel(1), jobDocuments(lag, fitting))).toMatchObject({
      served: 5,
      coldStarts: 5,
    });
  });

  it('gives the message of a failed run back, and repeats the Job after its back-off', async () => {
    const trace = poisson({ seed: 9, spanSeconds: 3600, ratePerSecond: 0.2, tokens: { median: 15_000, sigma: 0.7 } });
    const faults = {
      crashEveryHours: 0.02,
      failedStartShare: 0.1,
      slowShare: 0.2,
      slowFactor: 2,
      preemptionsMs: [900_000],
      noticeMs: 5000,
    };
    const documents = jobDocuments(
      list,
      { pollingInterval: 5, maxReplicaCount: 20, scalingStrategy: { strategy: 'accurate' } },
      false,
      { backoffLimit: 1 },
    );
    const result = await rehearseDocuments(trace, tokenModel(1, faults), documents, { journal: true });
    expect(result.served).toBe(result.requests);
    expect(result.coldStarts).toBeGreaterThan(result.requests);
    const bodies = (result.journal ?? []).map(({ body }) => JSON.stringify(body));
    expect(bodies.some((body) => body.includes('"phase":"waiting"'))).toBe(true);
    expect(bodies.some((body) => body.includes('2 runs failed, backoffLimit is 1'))).toBe(true);
    const again = await rehearseDocuments(trace, tokenModel(1, faults), documents, { journal: true });
    expect(again).toEqual(result);
  });

  it('ends a Job at its deadline, and the message goes to another', async () => {
    const documents = jobDocuments(list, { ...accurate, maxReplicaCount: 1 }, false, {
      activeDeadlineSeconds: 10,
      backoffLimit: 0,
    });
    const template = traceOf([{ atUs: 5_000_000, tokens: 50_000 }]);
    const result = await rehearseDocuments(template, tokenModel(1), documents, { spanMs: 300_000 });
    // 10 s of work and 30 s of grace are too short for 50 s.
    expect(result.served).toBe(0);
    expect(result.coldStarts).toBeGreaterThan(2);
    const shorter = traceOf([{ atUs: 5_000_000, tokens: 35_000 }]);
    expect(await rehearseDocuments(shorter, tokenModel(1), documents)).toMatchObject({ served: 1 });
  });

  it('serves each name of a trace, and stands beside Workloads', async () => {
    const rows = Array.from({ length: 30 }, (_, index) => ({
      atUs: index * 2_000_000,
      tokens: 500,
      workload: index % 2,
    }));
    const copied = await rehearseDocuments(traceOf(rows, ['a', 'b']), tokenModel(1), jobDocuments(list, accurate), {
      journal: true,
    });
    expect(copied.served).toBe(30);
    const owners = new Set(
      copied.journal?.map(({ workload }) => workload).filter((key) => key?.startsWith('scaledjob/')),
    );
    expect(owners).toEqual(new Set(['scaledjob/local/default/worker-0', 'scaledjob/local/default/worker-1']));
    const [job] = jobDocuments(list, accurate);
    if (!job) throw new Error('a ScaledJob');
    const named = {
      ...job,
      key: { ...job.key, name: 'b' },
      document: { ...(job.document as object), metadata: { name: 'b' } },
    };
    const [worker, scaledObject] = workerDocuments(list, { minReplicaCount: 1 });
    const trace = traceOf(rows, ['worker', 'b']);
    const both = await rehearseDocuments(
      trace,
      tokenModel(1),
      [named, worker, scaledObject].filter((one) => one !== undefined),
    );
    expect(both.served).toBe(30);
    expect(both.coldStarts).toBeGreaterThanOrEqual(16);
  });

  it('says what is missing', async () => {
    const bare = { type: 'redis', metadata: { address: 'r:1', listName: 'tasks' } };
    await expect(rehearseDocuments(five, tokenModel(1), jobDocuments(bare))).rejects.toThrow(
      'ScaledJob worker: trigger s0-redis of type redis names no target',
    );
    const two = [...jobDocuments(list), ...workerDocuments(list)];
    await expect(rehearseDocuments({ ...five, workloads: ['worker'] }, tokenModel(1), two)).rejects.toThrow(
      'worker is the name of a Workload and of a ScaledJob',
    );
  });
});
