import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseRocmNames } from './amd.ts';
import { discoverGpus } from './discover.ts';
import { gpuId, installNvidiaSmi, installProgram, machines, migId, type NvidiaMachine } from './testing/machines.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-gpus-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const path = (bin: string) => ({ PATH: `${bin}:/usr/bin:/bin` });
const nowhere = () => join(folder, 'drm');
const on = (machine: NvidiaMachine, env: Record<string, string> = {}) =>
  discoverGpus({ env: { ...path(installNvidiaSmi(folder, machine)), ...env }, drmFolder: nowhere() });

describe('GPUs of this machine', () => {
  it('none without a driver, and none where the driver finds none', async () => {
    const none = { state: 'none', message: 'none', gpus: [], labels: {}, driverVersion: null };
    const env = { PATH: '/nowhere', EBB_NVIDIA_SMI: join(folder, 'absent') };
    expect(await discoverGpus({ env, drmFolder: nowhere() })).toMatchObject(none);
    expect(await on(machines.noDevices)).toMatchObject(none);
  });

  it('one T4', async () => {
    const found = await on(machines.oneT4);
    expect(found).toMatchObject({ state: 'ok', message: '1 × Tesla T4', driverVersion: '535.183.01', mps: false });
    expect(found.gpus).toEqual([
      { index: 0, vendor: 'nvidia', model: 'Tesla T4', memoryBytes: 15_360 * 1024 ** 2, id: gpuId(0), mig: null },
    ]);
    expect(found.labels).toEqual({
      'nvidia.com/cuda.driver-version.full': '535.183.01',
      'nvidia.com/cuda.driver-version.major': '535',
      'nvidia.com/cuda.driver-version.minor': '183',
      'nvidia.com/cuda.driver-version.revision': '01',
      'nvidia.com/gpu.count': '1',
      'nvidia.com/gpu.memory': '15360',
      'nvidia.com/gpu.present': 'true',
      'nvidia.com/gpu.product': 'Tesla-T4',
      'nvidia.com/gpu.replicas': '1',
      'nvidia.com/gpu.sharing-strategy': 'none',
      'nvidia.com/mig.capable': 'false',
      'nvidia.com/mps.capable': 'false',
    });
  });

  it('eight A100s, some of them cut', async () => {
    const found = await on(machines.eightA100Mixed);
    expect(found.message).toBe(
      '4 × NVIDIA A100-SXM4-40GB, 4 × NVIDIA A100-SXM4-40GB cut by MIG (7 × 1g.5gb, 1 × 1g.5gb+me, 3 × 2g.10gb, 2 × 3g.20gb)',
    );
    expect(found.gpus.map((gpu) => gpu.mig?.length ?? null)).toEqual([null, null, null, null, 2, 7, 4, 0]);
    expect(found.gpus[4]?.mig?.[1]).toEqual({ profile: '3g.20gb', id: migId(4, 1) });
    expect(found.labels).toMatchObject({
      'nvidia.com/gpu.count': '4',
      'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB',
      'nvidia.com/mig.capable': 'true',
      'nvidia.com/mig.strategy': 'mixed',
      'nvidia.com/mig-1g.5gb.count': '7',
      'nvidia.com/mig-1g.5gb.me.count': '1',
      'nvidia.com/mig-3g.20gb.memory': '19968',
      'nvidia.com/mig-3g.20gb.product': 'NVIDIA-A100-SXM4-40GB-MIG-3g.20gb',
      'nvidia.com/mig-3g.20gb.slices.gi': '3',
    });
  });

  it('eight H100s, time-sliced', async () => {
    const found = await on(machines.eightH100, { EBB_GPU_SHARING: 'timeSlicing=4' });
    expect(found.message).toBe('8 × NVIDIA H100 80GB HBM3');
    expect(found.sharing).toEqual({ kind: 'time-slicing', replicas: 4 });
    expect(found.labels).toMatchObject({
      'nvidia.com/gpu.count': '8',
      'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3-SHARED',
      'nvidia.com/gpu.replicas': '4',
      'nvidia.com/gpu.sharing-strategy': 'time-slicing',
    });
  });

  it.each<[keyof typeof machines, string]>([
    ['brokenDriver', "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."],
    ['lostCard', 'GPU 0 (Tesla T4) does not tell its memory: [GPU is lost]'],
  ])('%s: broken, with what it said', async (name, said) => {
    const found = await on(machines[name]);
    expect(found).toMatchObject({ state: 'broken', gpus: [], labels: {} });
    expect(found.message).toContain(said);
  });

  it('something else under its name', async () => {
    const found = await on({ query: 'hello\n', list: '', exitCode: 0 });
    expect(found).toMatchObject({
      state: 'broken',
      message: 'nvidia-smi: expected index, uuid, name, memory.total, driver_version, mig.mode.current, found "hello"',
    });
  });

  it('an old driver, which does not know MIG', async () => {
    const bin = installProgram(
      folder,
      'nvidia-smi',
      `case "$1" in *mig.mode*) echo 'Field "mig.mode.current" is not a valid field to query.'; exit 2 ;; esac
       echo '0, ${gpuId(0)}, Tesla V100-SXM2-16GB, 16160, 418.87.00'`,
    );
    const found = await discoverGpus({ env: path(bin), drmFolder: nowhere() });
    expect(found).toMatchObject({ state: 'ok', message: '1 × Tesla V100-SXM2-16GB', driverVersion: '418.87.00' });
  });

  it('gives up on a driver that hangs, and ends what it had started', async () => {
    const pidFile = join(folder, 'pid');
    // The shell waits for a child that holds the pipe open: ending the shell alone would not do.
    const bin = installProgram(folder, 'nvidia-smi', `sleep 600 & echo $! > '${pidFile}'; wait`);
    const found = await discoverGpus({ env: path(bin), drmFolder: nowhere(), timeoutMs: 300 });
    expect(found).toMatchObject({ state: 'broken', message: 'nvidia-smi did not answer within 0.3 s' });
    const pid = readFileSync(pidFile, 'utf8').trim();
    const isGone = () => !existsSync(`/proc/${pid}`) || /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    await expect.poll(isGone, { timeout: 5000 }).toBe(true);
  });

  it('is told how GPUs are shared, and says when that cannot be', async () => {
    expect((await on(machines.oneT4)).sharing).toEqual({ kind: 'fraction' });
    expect((await on(machines.oneT4, { EBB_GPU_SHARING: 'none' })).sharing).toEqual({ kind: 'none' });
    expect(await on(machines.oneT4, { EBB_GPU_SHARING: 'mps=1' })).toMatchObject({
      state: 'broken',
      message: 'EBB_GPU_SHARING is "mps=1"; allowed are none, fraction, timeSlicing=N, mps=N (N from 2 to 48)',
    });
    const pipes = { CUDA_MPS_PIPE_DIRECTORY: join(folder, 'mps') };
    expect(await on(machines.oneT4, { EBB_GPU_SHARING: 'mps=4', ...pipes })).toMatchObject({
      state: 'broken',
      message: 'EBB_GPU_SHARING asks for MPS, and no MPS daemon runs here: start nvidia-cuda-mps-control -d',
    });
    mkdirSync(join(folder, 'mps'));
    writeFileSync(join(folder, 'mps/nvidia-cuda-mps-control.pid'), `${process.pid}\n`);
    const shared = await on(machines.oneT4, { EBB_GPU_SHARING: 'mps=4', ...pipes });
    expect(shared).toMatchObject({ state: 'ok', mps: true, sharing: { kind: 'mps', replicas: 4 } });
    expect(shared.labels).toMatchObject({ 'nvidia.com/mps.capable': 'true', 'nvidia.com/gpu.sharing-strategy': 'mps' });
  });
});

describe('AMD', () => {
  const card = (name: string, files: Record<string, string>) => {
    mkdirSync(join(folder, 'drm', name, 'device'), { recursive: true });
    for (const [file, text] of Object.entries(files))
      writeFileSync(join(folder, 'drm', name, 'device', file), `${text}\n`);
  };
  const vram = String(64 * 1024 ** 3);
  const instinct = { vendor: '0x1002', class: '0x120000', mem_info_vram_total: vram };

  it('is counted from what the kernel shows, and named by rocm-smi', async () => {
    card('card0', { vendor: '0x1a03', class: '0x030000' });
    card('card10', { ...instinct, unique_id: '18f2abc9f4e94c45' });
    card('card2', { ...instinct, unique_id: '18f2abc9f4e94c44' });
    card('card3', { vendor: '0x1002', class: '0x030000', mem_info_vram_total: String(512 * 1024 ** 2) });
    const rocm = JSON.stringify({
      card0: { 'Card Series': 'AMD Instinct MI250X' },
      card1: { 'Card Series': 'AMD Instinct MI250X' },
    });
    const bin = installProgram(folder, 'rocm-smi', `echo '${rocm}'`);
    const env = { ...path(bin), EBB_NVIDIA_SMI: join(folder, 'absent') };
    const found = await discoverGpus({ env, drmFolder: join(folder, 'drm') });
    expect(found).toMatchObject({ state: 'ok', message: '2 × AMD Instinct MI250X', driverVersion: null, labels: {} });
    expect(found.gpus.map((gpu) => gpu.id)).toEqual(['GPU-18f2abc9f4e94c44', 'GPU-18f2abc9f4e94c45']);
  });

  it('is named by the kernel where that knows, and otherwise without a name', async () => {
    card('card0', { ...instinct, product_name: 'Instinct MI300X' });
    const env = { PATH: '/nowhere', EBB_NVIDIA_SMI: join(folder, 'absent') };
    expect((await discoverGpus({ env, drmFolder: join(folder, 'drm') })).message).toBe('1 × Instinct MI300X');
    rmSync(join(folder, 'drm/card0/device/product_name'));
    expect((await discoverGpus({ env, drmFolder: join(folder, 'drm') })).message).toBe('1 × AMD GPU');
    expect(parseRocmNames('WARNING: no AMD GPUs')).toEqual([]);
  });
});
