import type { ReplicaUsageSample } from '@ebb/core';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { until } from '../testing/agentUnderTest.ts';
import { UsageMeter } from './usageMeter.ts';

const mebibyte = 1024 * 1024;
const children: ChildProcess[] = [];
const ends: (() => void)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) end();
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await exited;
  }
});

/** A group of its own that has said that it is ready. */
async function group(script: string): Promise<number> {
  const child = spawn(process.execPath, ['-e', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  if (child.stdout) await once(child.stdout, 'data');
  return child.pid ?? 0;
}

function meter() {
  const samples: ReplicaUsageSample[] = [];
  const usage = new UsageMeter((more) => samples.push(...more), 50);
  const watch = (id: string, pid: number) => {
    const startedAtMs = Date.now();
    const end = usage.watch({ id, group: pid, startedAtMs, nowMs: () => Date.now() });
    ends.push(() => end({ outOfMemory: false }));
    return end;
  };
  return { samples, watch, of: (id: string) => samples.filter((sample) => sample.id === id) };
}

it('tells a busy replica from an idle one, with the CPU time of its children', async () => {
  const { watch, of } = meter();
  // By its own CPU clock, so that it is the same on a machine that has much else to do.
  const burn =
    'for (let used = 0; used < 400_000; ) { const { user, system } = process.cpuUsage(); used = user + system; }';
  const busy = await group(`console.log('ready'); setTimeout(() => { ${burn} }, 0);
    setTimeout(() => require('node:child_process').execFile(process.execPath, ['-e', ${JSON.stringify(burn)}]), 10);
    setInterval(() => {}, 1000);`);
  const idle = await group(`console.log('ready'); setInterval(() => {}, 1000);`);
  watch('busy', busy);
  watch('idle', idle);
  // 400 ms of its own and 400 ms of a child that has ended; a tick is 10 ms.
  await until(() => (of('busy').at(-1)?.cpuMs ?? 0) >= 780);
  const [first] = of('busy');
  const last = of('busy').at(-1);
  expect(last?.cpuMs).toBeLessThan(1400);
  expect(last?.atMs).toBeGreaterThan(first?.atMs ?? Number.POSITIVE_INFINITY);
  expect(of('idle').at(-1)?.cpuMs).toBeLessThan(400);
});

it('knows what a replica holds, and the peak that it has given back', async () => {
  const { watch, of } = meter();
  const held = await group(`const held = Buffer.alloc(150 * ${mebibyte}, 1); console.log('ready');
    setInterval(() => held.length, 1000);`);
  const end = watch('held', held);
  await until(() => of('held').length > 0);
  const before = of('held').length;
  end({ outOfMemory: true });
  expect(of('held')).toHaveLength(before + 1);
  const last = of('held').at(-1);
  expect(last?.outOfMemory).toBe(true);
  expect(last?.memoryBytes).toBeGreaterThan(150 * mebibyte);
  expect(last?.memoryBytes).toBeLessThan(320 * mebibyte);
  expect(last?.memoryPeakBytes).toBeGreaterThanOrEqual(last?.memoryBytes ?? Number.POSITIVE_INFINITY);

  const gaveBack = await group(
    `let held = Buffer.alloc(150 * ${mebibyte}, 1); held = null;
    setImmediate(() => { globalThis.gc(); setTimeout(() => console.log('ready'), 50); });
    setInterval(() => {}, 1000);`.replace(
      'globalThis.gc()',
      "require('node:v8').setFlagsFromString('--expose-gc'); require('node:vm').runInNewContext('gc')()",
    ),
  );
  watch('gave-back', gaveBack);
  await until(() => of('gave-back').length > 0);
  const [sample] = of('gave-back');
  expect(sample?.memoryBytes).toBeLessThan(150 * mebibyte);
  expect(sample?.memoryPeakBytes).toBeGreaterThan(150 * mebibyte);
});

it('counts the whole group, and pages that forks share once', async () => {
  const { watch, of } = meter();
  const pid = await group(`const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', "globalThis.held = Buffer.alloc(100 * ${mebibyte}, 1); console.log(1); setInterval(() => {}, 1000)"]);
    child.stdout.once('data', () => console.log('ready'));
    setInterval(() => {}, 1000);`);
  watch('two', pid);
  await until(() => of('two').length > 0);
  expect(of('two')[0]?.memoryBytes).toBeGreaterThan(110 * mebibyte);
  expect(of('two')[0]?.memoryBytes).toBeLessThan(300 * mebibyte);
});

it('says nothing of a group that is gone', async () => {
  const { watch, of } = meter();
  const pid = await group(`console.log('ready'); setInterval(() => {}, 1000);`);
  const end = watch('gone', pid);
  const [child] = children;
  if (!child) throw new Error('no child');
  const exited = once(child, 'exit');
  process.kill(-pid, 'SIGKILL');
  await exited;
  const before = of('gone').length;
  end({ outOfMemory: false });
  expect(of('gone').length).toBeLessThanOrEqual(before + 1);
});
