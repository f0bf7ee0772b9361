import { poisson, SeededRandom, startLoad, virtualEpochMs, VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import { readTrace } from './readTrace.ts';
import { rowsOf } from './trace.fixture.ts';

const web = 'local/default/web';
const serviceUs = 700_000;

/** Ten minutes of load on the real engine, and the journal of it as `ebb journal export` writes it. */
async function recorded(trigger: 'requestRate' | 'concurrency') {
  const system = new VirtualSystem({ seed: 3 });
  await system.start();
  await system.apply(
    workloadDocument('web', {
      classes: [{ name: 'default', command: ['serve'], concurrency: 2, pricePerHour: 0.36 }],
      scaling: { maxReplicas: 8, triggers: [{ name: 'load', type: trigger, target: 1 }] },
    }),
  );
  await system.clock.advance(60_000);
  startLoad({
    clock: system.clock,
    gateway: system.gateway,
    workload: web,
    arrivals: poisson(new SeededRandom(3), 4),
    serviceUs: () => serviceUs,
    forMs: 600_000,
  });
  await system.clock.advance(900_000);
  await system.stop();
  const originUs = Math.floor((system.store.records[0]?.atMs ?? 0) / 1000) * 1e6;
  const text = system.store.records.map((record) => JSON.stringify(record)).join('\n');
  const arrivalsUs = system.gateway.exchanges.map(({ arrivedUs }) => virtualEpochMs * 1000 + arrivedUs - originUs);
  return { file: { name: 'journal.jsonl', text }, arrivalsUs };
}

describe("a trace from Ebb's own journal", () => {
  it('has the requests that the gateway counted, each within some seconds of its arrival', async () => {
    const { file, arrivalsUs } = await recorded('requestRate');
    const trace = await readTrace(file);
    const rows = await rowsOf(trace);
    expect(trace.workloads).toEqual([web]);
    expect(trace.description).toContain('as the gateway counted them');
    expect(rows).toHaveLength(arrivalsUs.length);
    const farthest = Math.max(...rows.map(({ atUs }, index) => Math.abs(atUs - (arrivalsUs[index] ?? 0))));
    expect(farthest).toBeLessThan(5e6);
  });

  it('counts from the concurrency with an assumed service, and else says that it is the least', async () => {
    const { file, arrivalsUs } = await recorded('concurrency');
    const assumed = await readTrace(file, { journalServiceMs: serviceUs / 1000 });
    expect(assumed.description).toContain('assumed service of 700 ms');
    // Waiting counts as demand as well, so it is somewhat more.
    const share = (await rowsOf(assumed)).length / arrivalsUs.length;
    expect(share).toBeGreaterThan(0.98);
    expect(share).toBeLessThan(1.25);
    const least = await readTrace(file);
    expect(least.description).toContain('the least that can have arrived');
    const rows = (await rowsOf(least)).length;
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThanOrEqual(arrivalsUs.length);
  });

  it('says which line is no record', async () => {
    const text = '{"sequence":1,"segment":1,"atMs":5,"kind":"event","workload":null,"body":{}}\n{"sequence":1}';
    await expect(readTrace({ name: 'j.jsonl', text })).rejects.toThrow('j.jsonl:2: is no record of a journal');
  });
});
