import { decide, type JournalStore } from '@ebb/core';
import { poisson, SeededRandom, startLoad, VirtualSystem, workloadDocument } from '@ebb/testing';
import { expect, it } from 'vitest';
import { decisionInputs } from './decisionInputs.ts';
import { explainFromJournal } from './explain.ts';
import { sentenceOf } from './reasonText.ts';

const web = 'local/default/web';

async function played() {
  const system = new VirtualSystem({ seed: 2 });
  await system.start();
  await system.apply(workloadDocument('web', { scaling: { maxReplicas: 6, keepAlive: '30s' } }));
  await system.clock.advance(1000);
  startLoad({
    clock: system.clock,
    gateway: system.gateway,
    workload: web,
    arrivals: poisson(new SeededRandom(2), 3),
    serviceUs: () => 900_000,
    forMs: 120_000,
  });
  await system.clock.advance(240_000);
  await system.stop();
  return system;
}

it('rebuilds what any decision of the journal was made from', async () => {
  const { store } = await played();
  const read: JournalStore['read'] = (range) => store.journal.read(range);
  const [firstMs = 0, lastMs = 0] = [store.records[0]?.atMs, store.records.at(-1)?.atMs];
  let rebuilt = 0;
  for (let atMs = firstMs; atMs <= lastMs + 5000; atMs += 1_700) {
    const explanation = await explainFromJournal(store.journal, web, atMs);
    const inputs = await decisionInputs(read, web, atMs);
    if (!explanation?.decision) continue;
    rebuilt++;
    expect(inputs?.observation.nowMs).toBeLessThanOrEqual(atMs);
    if (!inputs) continue;
    const { decision } = decide(inputs.spec, inputs.memoryBefore, inputs.observation);
    expect(decision).toEqual(inputs.decision);
    const told = explanation.lines.filter(({ stage }) => stage !== 'grant').map(({ sentence }) => sentence);
    expect(decision.reasons.map(sentenceOf)).toEqual(told);
  }
  expect(rebuilt).toBeGreaterThan(50);
});

it('says nothing where the record is of other decisions, or where there is none', async () => {
  const { store } = await played();
  const lastMs = store.records.at(-1)?.atMs ?? 0;
  const read: JournalStore['read'] = async (range) => {
    const records = structuredClone(await store.journal.read(range));
    for (const { kind, body } of records) {
      if (kind === 'decision')
        Object.assign(body as object, { type: 'decided', decision: { classes: {}, reasons: [] } });
    }
    return records;
  };
  expect(await decisionInputs(read, web, lastMs)).toBeNull();
  expect(await decisionInputs((range) => store.journal.read(range), 'local/default/absent', lastMs)).toBeNull();
});
