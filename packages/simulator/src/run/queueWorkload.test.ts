import { describe, expect, it } from 'vitest';
import { poisson } from '../generators/poisson.ts';
import { lag, list, rehearseDocuments, workerDocuments } from './queueScenario.fixture.ts';
import { consumesQueue } from './scenario.ts';
import { tokenModel, traceOf } from './simulate.fixture.ts';

const one = { minReplicaCount: 1, maxReplicaCount: 1 };

describe('a Workload that consumes a queue', () => {
  it('is one where a broker is all that its ScaledObject reads and no route was written', () => {
    const source = (documents: ReturnType<typeof workerDocuments>) =>
      consumesQueue(documents[0]?.document, documents[1]?.document);
    const prometheus = { type: 'prometheus', metadata: { serverAddress: 'http://p', query: 'q', threshold: '1' } };
    const cpu = { type: 'cpu', metricType: 'Utilization' as const, metadata: { value: '50' } };
    expect(source(workerDocuments(list))).toBe(true);
    expect(source(workerDocuments(list, { triggers: [list, cpu, lag] }))).toBe(true);
    expect(source(workerDocuments(list, {}, { serving: { routes: [] } }))).toBe(true);
    expect(source(workerDocuments(list, {}, { serving: { routes: [{ pathPrefix: '/x' }] } }))).toBe(false);
    expect(source(workerDocuments(prometheus))).toBe(false);
    expect(source(workerDocuments(list, { triggers: [list, prometheus] }))).toBe(false);
  });

  it('takes one message after the other once it is ready', async () => {
    const trace = traceOf([5, 6, 7].map((second) => ({ atUs: second * 1_000_000, tokens: 20_000 })));
    const result = await rehearseDocuments(trace, tokenModel(1), workerDocuments(lag, one));
    // Asked for at 0 and ready at 10 s: begins at 10, 30 and 50 s, and all is done at 70 s.
    expect(result).toMatchObject({ requests: 3, served: 3, onTime: 1, coldStarts: 1, mostReplicas: 1, spanMs: 70_000 });
    expect(result.waitMs.max).toBe(43_000);
    expect(result.waitMs.mean).toBeCloseTo(24_000, 6);
    expect(result.servedSlotSeconds).toBe(60);
    expect(result.replicaSeconds).toBeCloseTo(70, 1);
    // Three messages from 7 s on, one less at 30 and 50 s: 5 + … + 70 s in all.
    expect(result.curves.demand[20]).toBe(3);
    expect(result.curves.demand[69]).toBe(1);
  });

  it('works on as many messages at once as its class has slots', async () => {
    const trace = traceOf(Array.from({ length: 5 }, () => ({ atUs: 5_000_000, tokens: 20_000 })));
    const classes = [{ command: ['work'], concurrency: 2 }];
    const result = await rehearseDocuments(trace, tokenModel(8), workerDocuments(lag, one, { classes }));
    // Two at 10 s, two at 30 s, one at 50 s.
    expect(result.waitMs.mean).toBeCloseTo((2 * 5000 + 2 * 25_000 + 45_000) / 5, 6);
  });

  it('takes the time of its class', async () => {
    const trace = traceOf([{ atUs: 5_000_000, tokens: 20_000 }]);
    const model = { ...tokenModel(1), classes: { small: { service: { type: 'fixed' as const, ms: 50_000 } } } };
    const classes = [{ name: 'small', command: ['work'], concurrency: 1 }];
    const result = await rehearseDocuments(trace, model, workerDocuments(lag, one, { classes }));
    expect(result).toMatchObject({ servedSlotSeconds: 50, spanMs: 60_000 });
  });

  it('finishes what it has within its grace when it is scaled down, and gives it back otherwise', async () => {
    const scaling = { pollingInterval: 10, cooldownPeriod: 10, maxReplicaCount: 1 };
    const message = (seconds: number) => traceOf([{ atUs: 12_000_000, tokens: seconds * 1000 }]);
    const rehearse = (seconds: number, trigger: typeof list) =>
      rehearseDocuments(message(seconds), tokenModel(1), workerDocuments(trigger, scaling), { spanMs: 600_000 });
    // The list is empty as soon as the message is taken, so the worker is told to end under it.
    const short = await rehearse(35, list);
    expect(short).toMatchObject({ served: 1, coldStarts: 1 });
    const long = await rehearse(100, list);
    expect(long.served).toBe(0);
    expect(long.coldStarts).toBeGreaterThan(10);
    // A lag counts it until it is committed.
    const counted = await rehearse(100, lag);
    expect(counted).toMatchObject({ served: 1, coldStarts: 1 });
    expect(counted.servedSlotSeconds).toBe(100);
  });

  it('loses no message to crashes, failed starts and machines that are taken away', async () => {
    const trace = poisson({ seed: 4, spanSeconds: 3600, ratePerSecond: 0.3, tokens: { median: 8000, sigma: 0.7 } });
    const faults = {
      crashEveryHours: 0.1,
      hangEveryHours: 1,
      failedStartShare: 0.2,
      slowShare: 0.3,
      slowFactor: 2,
      preemptionsMs: [600_000, 1_200_000],
      noticeMs: 20_000,
    };
    const probes = { liveness: { http: { path: '/healthz' } } };
    const documents = workerDocuments(lag, { maxReplicaCount: 20 }, { probes });
    const result = await rehearseDocuments(trace, tokenModel(1, faults), documents);
    expect(result.served).toBe(result.requests);
    expect(result.coldStarts).toBeGreaterThan(result.mostReplicas);
    const again = await rehearseDocuments(trace, tokenModel(1, faults), documents);
    expect(again).toEqual(result);
    const other = await rehearseDocuments(trace, tokenModel(1, faults), documents, { seed: 2 });
    expect(other.digest).not.toBe(result.digest);
  });

  it('is served by the gateway where the model says so', async () => {
    const trace = traceOf([{ atUs: 1_000_000, tokens: 1000 }]);
    const gateway = { ...tokenModel(1), source: 'gateway' as const };
    const documents = workerDocuments(list, one, { serving: { timeouts: { hold: '1s' } } });
    // A gateway refuses what it has held too long; a broker keeps it.
    expect(await rehearseDocuments(trace, gateway, documents)).toMatchObject({ served: 0 });
    expect(await rehearseDocuments(trace, tokenModel(1), documents)).toMatchObject({ served: 1 });
  });

  it('has a queue of its own for each name of the trace', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => ({
      atUs: index * 1_000_000,
      tokens: 500,
      workload: index % 2,
    }));
    const result = await rehearseDocuments(traceOf(rows, ['a', 'b']), tokenModel(1), workerDocuments(lag, one));
    expect(result).toMatchObject({ served: 40, mostReplicas: 2 });
  });
});
