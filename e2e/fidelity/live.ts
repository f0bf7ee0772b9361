import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, connect, type JournalRecord } from '@ebb/client';
import { startEbb } from '../ebbCommand.ts';
import { coldStartsOf, livesOf } from './journalLives.ts';
import type { Load } from './load.ts';
import type { FidelityPolicy } from './policies.ts';
import type { LiveRun, Recording } from './recording.ts';
import { sendLoad } from './sendLoad.ts';

/** The policies' loads begin one after the other, so that their bursts and the starts for them do not fall together. */
const staggerMs = 5_300;
const longestJournal = 10_000;

/** Every policy on real processes of one Ebb: agent, gateway, control plane and workers. */
export async function runLive(load: Load, policies: readonly FidelityPolicy[]): Promise<Recording> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-fidelity-'));
  const file = join(folder, 'documents.yaml');
  // JSON is YAML.
  const documents = policies.flatMap((policy) => policy.documents).map((one) => JSON.stringify(one));
  writeFileSync(file, documents.join('\n---\n'));
  const running = await startEbb([file]);
  try {
    const client = await connect({ dataDirectory: running.data });
    const before = cpuTimes();
    const runs = await Promise.all(
      policies.map(async ({ name }, index) => {
        await delay((index + 1) * staggerMs);
        return runOne(client, running.gatewayUrl, load, name);
      }),
    );
    const after = cpuTimes();
    return { load, busyShare: 1 - (after.idleMs - before.idleMs) / (after.allMs - before.allMs), runs };
  } finally {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runOne(client: Client, gatewayUrl: string, load: Load, policy: string): Promise<LiveRun> {
  const status = await client.workloadStatus(policy);
  if (!status || status.replicas.ready + status.replicas.starting > 0) throw new Error(`${policy} does not begin at zero`);
  const originMs = Date.now();
  const [sent] = await Promise.all([sendLoad(`${gatewayUrl}/${policy}`, load), delay(load.spanMs)]);
  // The journal is written in groups.
  await delay(500);
  const workload = `local/default/${policy}`;
  const records = await wholeJournal(client, workload);
  const firstMs = records.find(({ kind }) => kind === 'decision')?.atMs;
  if (firstMs === undefined) throw new Error(`the journal has no decision for ${workload}`);
  return {
    policy,
    leadMs: originMs - firstMs,
    lives: livesOf(records, originMs),
    coldStarts: coldStartsOf(records),
    ...sent,
  };
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
