import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, connect, type JournalRecord } from '@ebb/client';
import { startEbb } from '../ebbCommand.ts';
import { coldStartsOf, livesOf } from './journalLives.ts';
import type { Load } from './load.ts';
import type { FidelityPolicy } from './policies.ts';
import type { LiveRun, Recording } from './recording.ts';
import { sendLoad } from './sendLoad.ts';

/** The policies' loads begin one after the other, so that their bursts and the starts for them do not fall together. */
const staggerMs = 6_000;
/**
 * Documents are applied in the middle of a second of the wall clock: Knative's buckets are such seconds, and a tick at the edge
 * of one would see another bucket from run to run.
 */
const middleMs = 500;
const secondMs = 1_000;
/** From applying the documents to the beginning of the load. */
const settleMs = 1_000;
const longestJournal = 10_000;

/** Every policy on real processes of one Ebb: agent, gateway, control plane and workers. */
export async function runLive(load: Load, policies: readonly FidelityPolicy[]): Promise<Recording> {
  const running = await startEbb([]);
  try {
    const client = await connect({ dataDirectory: running.data });
    const before = cpuTimes();
    const runs = await Promise.all(
      policies.map(async (policy, index) => {
        await delay(index * staggerMs);
        return runOne(client, running.gatewayUrl, load, policy);
      }),
    );
    const after = cpuTimes();
    return { load, busyShare: 1 - (after.idleMs - before.idleMs) / (after.allMs - before.allMs), runs };
  } finally {
    await running.stop();
  }
}

async function runOne(
  client: Client,
  gatewayUrl: string,
  load: Load,
  { name: policy, documents }: FidelityPolicy,
): Promise<LiveRun> {
  await delay(secondMs - ((Date.now() + middleMs) % secondMs));
  // JSON is YAML.
  await client.apply(documents.map((document) => JSON.stringify(document)).join('\n---\n'));
  await delay(settleMs);
  const status = await client.workloadStatus(policy);
  if (!status || status.replicas.ready + status.replicas.starting > 0) {
    throw new Error(`${policy} does not begin at zero`);
  }
  const originMs = Date.now();
  const [{ waitsMs, overheadMs, mostLateMs }] = await Promise.all([
    sendLoad(`${gatewayUrl}/${policy}`, load),
    delay(load.spanMs),
  ]);
  // The journal is written in groups.
  await delay(500);
  const workload = `local/default/${policy}`;
  const records = await wholeJournal(client, workload);
  const firstMs = records.find(({ kind }) => kind === 'decision')?.atMs;
  if (firstMs === undefined) throw new Error(`the journal has no decision for ${workload}`);
  return {
    policy,
    firstAtMs: firstMs,
    leadMs: originMs - firstMs,
    lives: livesOf(records, originMs),
    coldStarts: coldStartsOf(records),
    waitsMs: waitsMs.map(tenths),
    overheadMs: tenths(overheadMs),
    mostLateMs: tenths(mostLateMs),
  };
}

function tenths(ms: number): number {
  return Math.round(10 * ms) / 10;
}

async function wholeJournal(client: Client, workload: string): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  for (;;) {
    const fromSequence = (records.at(-1)?.sequence ?? 0) + 1;
    const kinds: JournalRecord['kind'][] = ['decision', 'action', 'outcome'];
    const page = await client.journal({ workload, fromSequence, kinds, limit: 1000 });
    records.push(...page);
    if (page.length === 0) return records;
    if (records.length > longestJournal) throw new Error(`the journal of ${workload} is longer than expected`);
  }
}

function cpuTimes(): { idleMs: number; allMs: number } {
  let idleMs = 0;
  let allMs = 0;
  for (const { times } of cpus()) {
    idleMs += times.idle;
    allMs += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idleMs, allMs };
}
