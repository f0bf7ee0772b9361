import type { GpuHolding, GpuNeed, MachineGpus } from '@ebb/core';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { discoverGpus } from './discover.ts';
import { GpuPool } from './gpuPool.ts';
import { gpuId, installNvidiaSmi, machines, migId, type NvidiaMachine } from './testing/machines.ts';

const never = new AbortController().signal;
const gib = 1024 ** 3;
const whole = (count = 1, minMemoryBytes = 0): GpuNeed => ({ kind: 'whole', count, vendor: null, minMemoryBytes });
const share = (gpuMilli: number, memoryBytes = 0): GpuNeed => ({ kind: 'share', gpuMilli, memoryBytes, vendor: null });

async function found(machine: NvidiaMachine, change: Partial<MachineGpus> = {}): Promise<MachineGpus> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-pool-'));
  try {
    const env = { PATH: `${installNvidiaSmi(folder, machine)}:/usr/bin:/bin` };
    return { ...(await discoverGpus({ env, drmFolder: join(folder, 'drm') })), ...change };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function poolOf(machine: MachineGpus, env: Record<string, string> = {}): GpuPool {
  return new GpuPool({ discover: () => Promise.resolve(machine), env, onMachine: () => {} });
}

const refusal = (failure: string, message: string) => expect.objectContaining({ failure, message });

describe('devices of a machine', () => {
  it('whole ones, each once, and back after their holder', async () => {
    const pool = poolOf(await found(machines.eightH100));
    const six = await pool.take('a', whole(6), never);
    expect(six.env).toEqual({ CUDA_VISIBLE_DEVICES: [0, 1, 2, 3, 4, 5].map(gpuId).join(',') });
    expect(await pool.take('a', whole(6), never)).toEqual(six);
    await expect(pool.take('b', whole(3), never)).rejects.toEqual(
      refusal('gpu-busy', 'needs 3 GPUs: needs 3 whole GPUs, and 2 of 8 are free'),
    );
    pool.release('a');
    expect((await pool.take('b', whole(3), never)).devices).toEqual([0, 1, 2].map(gpuId));
  });

  it('waits for one that is about to end', async () => {
    const pool = poolOf(await found(machines.oneT4));
    await pool.take('old', whole(), never);
    pool.leaving('old');
    const next = pool.take('next', whole(), never);
    pool.release('old');
    expect((await next).devices).toEqual([gpuId(0)]);
    pool.leaving('next');
    const stop = new AbortController();
    const last = pool.take('last', whole(), stop.signal);
    stop.abort();
    await expect(last).rejects.toThrow('asked to end');
  });

  it('parts, bounded by MPS where its daemon runs', async () => {
    const machine = await found(machines.oneT4, { mps: true });
    const pool = poolOf(machine, { CUDA_MPS_PIPE_DIRECTORY: '/run/mps' });
    const half = await pool.take('half', share(500, 4 * gib), never);
    expect(half.env).toEqual({
      CUDA_VISIBLE_DEVICES: gpuId(0),
      CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '50',
      CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: '0=4096M',
      CUDA_MPS_PIPE_DIRECTORY: '/run/mps',
    });
    const eighth = await pool.take('eighth', share(125), never);
    expect(eighth.env).toMatchObject({
      CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '12.5',
      CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: '0=1920M',
    });
    await expect(pool.take('more', share(500), never)).rejects.toMatchObject({ failure: 'gpu-busy' });
    await expect(pool.take('all', whole(), never)).rejects.toMatchObject({ failure: 'gpu-busy' });
    const plain = poolOf({ ...machine, mps: false });
    expect((await plain.take('half', share(500), never)).env).toEqual({ CUDA_VISIBLE_DEVICES: gpuId(0) });
  });

  it('one replica of a time-sliced GPU, never more', async () => {
    const pool = poolOf(await found(machines.oneT4, { sharing: { kind: 'time-slicing', replicas: 2 } }));
    await pool.take('a', share(300), never);
    await pool.take('b', share(300), never);
    await expect(pool.take('c', share(300), never)).rejects.toMatchObject({ failure: 'gpu-busy' });
    await expect(pool.take('d', share(600), never)).rejects.toMatchObject({
      failure: 'gpu-unsuitable',
      message: expect.stringContaining('more than one of 2 time-slicing replicas'),
    });
  });

  it('MIG instances that are there', async () => {
    const pool = poolOf(await found(machines.eightA100Mixed));
    const mig = (profile: string, count = 1): GpuNeed => ({ kind: 'mig', profile, count });
    const first = await pool.take('a', mig('3g.20gb'), never);
    expect(first.env).toEqual({ CUDA_VISIBLE_DEVICES: migId(4, 0) });
    expect((await pool.take('b', mig('3g.20gb'), never)).devices).toEqual([migId(4, 1)]);
    await expect(pool.take('c', mig('3g.20gb'), never)).rejects.toMatchObject({ failure: 'gpu-busy' });
    expect((await pool.take('d', mig('1g.5gb', 7), never)).devices).toHaveLength(7);
    await expect(pool.take('e', mig('4g.20gb'), never)).rejects.toEqual(
      refusal(
        'gpu-unsuitable',
        'needs 1 × 4g.20gb: the MIG instances of this machine are 7 × 1g.5gb, 1 × 1g.5gb+me, 3 × 2g.10gb, 2 × 3g.20gb',
      ),
    );
    // Whole ones are those that are not in MIG mode.
    expect((await pool.take('f', whole(4), never)).devices).toEqual([0, 1, 2, 3].map(gpuId));
    await expect(pool.take('g', whole(), never)).rejects.toMatchObject({ failure: 'gpu-busy' });
  });

  it('goes on with what holders of an earlier agent have', async () => {
    const machine = await found(machines.oneT4);
    const holding = await poolOf(machine).take('kept', share(600), never);
    const pool = poolOf(machine);
    pool.claim('kept', holding);
    expect(await pool.take('kept', share(600), never)).toEqual(holding);
    await expect(pool.take('more', share(600), never)).rejects.toMatchObject({ failure: 'gpu-busy' });
  });

  it('refuses with the reason where there is no GPU, a broken driver, too little memory, or another vendor', async () => {
    const none = poolOf(await found(machines.noDevices));
    await expect(none.take('a', whole(), never)).rejects.toEqual(
      refusal('no-gpu', 'needs a GPU, and this machine has none'),
    );
    const broken = poolOf(await found(machines.brokenDriver));
    await expect(broken.take('a', share(500, gib), never)).rejects.toMatchObject({
      failure: 'gpu-driver',
      message: expect.stringMatching(
        /^needs 500m and 1 GiB of a GPU, and GPUs do not work here: NVIDIA-SMI has failed/,
      ),
    });
    const small = poolOf(await found(machines.oneT4));
    await expect(small.take('a', whole(1, 24 * gib), never)).rejects.toEqual(
      refusal('gpu-unsuitable', 'needs a GPU with 24 GiB: needs 24576 MiB of one GPU, and Tesla T4 has 15360 MiB'),
    );
    await expect(small.take('a', { kind: 'mig', profile: '1g.5gb', count: 1 }, never)).rejects.toMatchObject({
      failure: 'gpu-unsuitable',
    });
    const amd = poolOf({
      ...(await found(machines.noDevices)),
      state: 'ok',
      gpus: [{ index: 0, vendor: 'amd', model: 'MI300X', memoryBytes: 192 * gib, id: 'GPU-1', mig: null }],
    });
    await expect(amd.take('a', share(500), never)).rejects.toMatchObject({
      failure: 'gpu-unsuitable',
      message: expect.stringContaining('AMD GPUs are given out whole'),
    });
    expect((await amd.take('a', whole(), never)).env).toEqual({ ROCR_VISIBLE_DEVICES: 'GPU-1' });
  });

  it('nothing twice, and no GPU beyond what it has, whoever comes and goes', async () => {
    const machine = await found(machines.eightA100Mixed);
    const anyNeed = fc.oneof(
      fc.integer({ min: 1, max: 3 }).map((count) => whole(count)),
      fc.constantFrom(200, 500, 700).map((milli) => share(milli)),
      fc.constantFrom(4, 15, 30).map((memory) => share(0, memory * gib)),
      fc.constantFrom('3g.20gb', '2g.10gb', '1g.5gb').map((profile): GpuNeed => ({ kind: 'mig', profile, count: 1 })),
    );
    const anyStep = fc.record({ id: fc.nat(11), need: fc.option(anyNeed, { freq: 3 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (steps) => {
        const pool = poolOf(machine);
        const held = new Map<string, GpuHolding>();
        for (const { id, need } of steps) {
          const name = String(id);
          if (need === null || held.has(name)) {
            pool.release(name);
            held.delete(name);
            continue;
          }
          const given = await pool.take(name, need, never).catch(() => null);
          if (given) held.set(name, given);
          for (const device of new Set([...held.values()].flatMap(({ devices }) => devices))) {
            const holders = [...held.values()].filter(({ devices }) => devices.includes(device));
            const parts = holders.flatMap(({ taken }) => (taken.kind === 'share' ? [taken] : []));
            expect(parts.length === holders.length || holders.length === 1).toBe(true);
            expect(parts.reduce((sum, part) => sum + part.gpuMilli, 0)).toBeLessThanOrEqual(1000);
            expect(parts.reduce((sum, part) => sum + part.memoryBytes, 0)).toBeLessThanOrEqual(40 * gib);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
