import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import { readSettings } from '../contract/readSettings.ts';
import type { SourceReading } from '../contract/source.ts';
import { readOnce, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger } from '../runtime/openTrigger.ts';
import { gpu } from './gpu.ts';

const folder = mkdtempSync(join(tmpdir(), 'ebb-gpu-'));
afterAll(() => rmSync(folder, { recursive: true }));
const before = process.env.EBB_NVIDIA_SMI;
afterEach(() => {
  if (before === undefined) delete process.env.EBB_NVIDIA_SMI;
  else process.env.EBB_NVIDIA_SMI = before;
});

/** A real program in place of nvidia-smi: prints, counts its runs, ends with the status. */
function program(name: string, output: string, status = 0): { runs(): string[] } {
  const path = join(folder, name);
  writeFileSync(`${path}.out`, output);
  writeFileSync(`${path}.log`, '');
  writeFileSync(path, `#!/bin/sh\necho "$@" >> '${path}.log'\ncat '${path}.out'\nexit ${status}\n`);
  chmodSync(path, 0o755);
  process.env.EBB_NVIDIA_SMI = path;
  return { runs: () => readFileSync(`${path}.log`, 'utf8').split('\n').filter(Boolean) };
}

async function read(metadata: Record<string, string>, changes = {}): Promise<SourceReading> {
  const context = testContext(changes);
  const source = openTrigger(gpu, { metadata: { value: '70', ...metadata }, auth: {}, env: {} }, context);
  try {
    return await readOnce(source, context);
  } finally {
    await source.close();
    expect(context.connections.size).toBe(0);
  }
}
async function failure(metadata: Record<string, string>, changes = {}): Promise<SourceError> {
  const error: unknown = await read(metadata, changes).then(
    (reading) => new Error(`read ${JSON.stringify(reading)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SourceError)) throw error;
  return error;
}

// `index, uuid, utilization.gpu, memory.used, memory.total` of several models.
const h100 = '0, GPU-8d3c2a10-1111-2222-3333-444455556666, 87, 61440, 81559\n';
const fourA100 = [12, 100, 0, 48]
  .map((busy, index) => `${index}, GPU-a100000${index}, ${busy}, ${index * 10_240}, 40960`)
  .join('\n');
const rtx3060 = '0, GPU-3060, 3, 512, 12288\r\n';
const olderGeForce = '0, GPU-gt710, [Not Supported], 100, 2002\n';
const migA100 = '0, GPU-mig, [N/A], 8192, 40960\n1, GPU-whole, 50, 100, 40960\n';
const unified = '0, GPU-gb10, 40, [N/A], [N/A]\n';

describe('nvidia-smi', () => {
  it.each([
    ['one GPU', h100, {}, 87],
    ['Windows line ends', rtx3060, {}, 3],
    ['the sum of several', fourA100, {}, 160],
    ['their mean', fourA100, { aggregation: 'mean' }, 40],
    ['their largest', fourA100, { aggregation: 'max' }, 100],
    ['some of them, by index and UUID', fourA100, { gpus: '0, GPU-a1000003' }, 60],
    ['memory in MiB', fourA100, { metric: 'memoryUsedMiB', aggregation: 'max' }, 30_720],
    ['memory in percent', fourA100, { metric: 'memoryUtilization', gpus: '1,3' }, 100],
    ['memory of one that tells no utilization', olderGeForce, { metric: 'memoryUsedMiB' }, 100],
    ['memory of a divided one', migA100, { metric: 'memoryUtilization', gpus: '0' }, 20],
    ['the GPU beside a divided one', migA100, { gpus: '1' }, 50],
    ['one that shares its memory with the processor', unified, {}, 40],
  ])('reads %s', async (_, output, metadata, expected) => {
    program('nvidia-smi', output);
    expect((await read(metadata)).value).toBe(expected);
  });

  it('asks for exactly what it reads', async () => {
    const { runs } = program('nvidia-smi', h100);
    await read({});
    expect(runs()).toEqual([
      '--query-gpu=index,uuid,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits',
    ]);
  });

  it('is active strictly above the activation value', async () => {
    program('nvidia-smi', h100);
    expect((await read({ activationValue: '87' })).active).toBe(false);
    expect((await read({ activationValue: '86.5' })).active).toBe(true);
    program('nvidia-smi', '0, GPU-idle, 0, 0, 81559\n');
    expect(await read({})).toEqual({ value: 0, active: false });
  });

  it.each([
    ['does not tell its utilization', olderGeForce, 0, {}, 'unsupported', 'GPU 0'],
    ['is divided', migA100, 0, {}, 'unsupported', 'MIG'],
    ['does not tell its memory', unified, 0, { metric: 'memoryUtilization' }, 'unsupported', 'memoryUtilization'],
    ['is not there', h100, 0, { gpus: '0,7' }, 'not-found', 'no GPU 7; there are 0'],
    ['is none', 'No devices were found\n', 6, {}, 'not-found', 'finds no GPU'],
    [
      'has no driver',
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
      9,
      {},
      'unreachable',
      "couldn't communicate",
    ],
    ['is told of in other words', '87 %, 100 MiB\n', 0, {}, 'bad-answer', 'expected index, uuid'],
    ['is lost', '0, GPU-x, , 1, 2\n', 0, {}, 'bad-answer', 'is no number'],
    ['is silent', '', 0, {}, 'not-found', 'tells of no GPU'],
  ])('never takes one that %s for an idle one', async (_, output, status, metadata, code, said) => {
    program('nvidia-smi', output, status);
    const error = await failure(metadata);
    expect(error.code).toBe(code);
    expect(error.message).toContain(said);
  });

  it('says that the program is not there', async () => {
    process.env.EBB_NVIDIA_SMI = join(folder, 'none');
    expect(await failure({})).toMatchObject({ code: 'not-found' });
  });

  it('gives up in time where it hangs, and leaves no process behind', async () => {
    const path = join(folder, 'hangs');
    writeFileSync(path, `#!/bin/sh\necho $$ > '${path}.pid'\nexec sleep 600\n`);
    chmodSync(path, 0o755);
    process.env.EBB_NVIDIA_SMI = path;
    expect(await failure({}, { timeoutMs: 300 })).toMatchObject({ code: 'timeout' });
    const pid = Number(readFileSync(`${path}.pid`, 'utf8'));
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('runs once for all triggers that ask at the same time', async () => {
    const { runs } = program('nvidia-smi', fourA100);
    const context = testContext();
    const sources = ['sum', 'max'].map((aggregation) =>
      openTrigger(gpu, { metadata: { value: '70', aggregation }, auth: {}, env: {} }, context),
    );
    const readings = await Promise.all(sources.map((source) => readOnce(source, context)));
    expect(readings.map(({ value }) => value)).toEqual([160, 100]);
    expect(runs()).toHaveLength(1);
    for (const source of sources) await source.close();
  });

  it('does not hand on the secrets of its own environment', async () => {
    process.env.EBB_TEST_SECRET = 's3cret';
    const path = join(folder, 'env');
    writeFileSync(path, `#!/bin/sh\nenv > '${path}.out'\necho '0, GPU-x, 1, 2, 3'\n`);
    chmodSync(path, 0o755);
    process.env.EBB_NVIDIA_SMI = path;
    try {
      await read({});
    } finally {
      delete process.env.EBB_TEST_SECRET;
    }
    expect(readFileSync(`${path}.out`, 'utf8')).toContain('PATH=');
    expect(readFileSync(`${path}.out`, 'utf8')).not.toContain('s3cret');
  });
});

const page = `# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",device="nvidia0",modelName="NVIDIA A100-SXM4-40GB",Hostname="node-1",namespace="ml",pod="llm-0"} 80
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",device="nvidia0",modelName="NVIDIA A100-SXM4-40GB",Hostname="node-1",namespace="ml",pod="llm-1"} 80
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-b",device="nvidia1",modelName="NVIDIA \\"A100\\"",Hostname="node-1",namespace="web",pod="web-0"} 20
DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-a",device="nvidia0",Hostname="node-1",namespace="ml",pod="llm-0"} 30000
DCGM_FI_DEV_FB_FREE{gpu="0",UUID="GPU-a",device="nvidia0",Hostname="node-1",namespace="ml",pod="llm-0"} 9000
DCGM_FI_DEV_FB_RESERVED{gpu="0",UUID="GPU-a",device="nvidia0",Hostname="node-1",namespace="ml",pod="llm-0"} 1000
DCGM_FI_DEV_FB_USED{gpu="1",UUID="GPU-b",device="nvidia1",Hostname="node-1",namespace="web",pod="web-0"} 1e3
DCGM_FI_DEV_FB_FREE{gpu="1",UUID="GPU-b",device="nvidia1",Hostname="node-1",namespace="web",pod="web-0"} 39000
DCGM_FI_DEV_SM_CLOCK{gpu="0",UUID="GPU-a",device="nvidia0",Hostname="node-1"} 1410
`;
const migPage = ['0', '1']
  .map((part) => {
    const labels = `gpu="0",UUID="GPU-a",device="nvidia0",GPU_I_PROFILE="3g.20gb",GPU_I_ID="${part}",Hostname="node-1"`;
    return `DCGM_FI_PROF_GR_ENGINE_ACTIVE{${labels}} 0.${part}5\nDCGM_FI_DEV_FB_USED{${labels}} ${part}000`;
  })
  .join('\n');

describe('a DCGM exporter', () => {
  let server: Server;
  let url = '';
  const pages: Record<string, string> = {
    '/metrics': page,
    '/mig': migPage,
    '/other': 'up 1\n',
    '/nan': 'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a"} NaN\nDCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-a"} 1\n',
    '/broken': 'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a"} lots\n',
  };
  beforeAll(async () => {
    server = createServer((request, response) => {
      const found = pages[request.url ?? ''];
      response.writeHead(found === undefined ? 404 : 200).end(found);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const dcgm = (metadata: Record<string, string>, path = '/metrics') => ({
    source: 'dcgm',
    url: url + path,
    ...metadata,
  });

  it.each([
    ['a GPU that two pods share, once', {}, '/metrics', 100],
    ['those with a label', { labels: 'namespace=ml' }, '/metrics', 80],
    ['those with two', { labels: 'namespace=web,Hostname=node-1' }, '/metrics', 20],
    ['by index', { gpus: '1' }, '/metrics', 20],
    ['by UUID and device', { gpus: 'GPU-a,nvidia1' }, '/metrics', 100],
    ['memory in MiB', { metric: 'memoryUsedMiB' }, '/metrics', 31_000],
    ['memory in percent', { metric: 'memoryUtilization', aggregation: 'max' }, '/metrics', 75],
    ['both parts of a divided one', {}, '/mig', 20],
    ['one part', { gpus: '0/1' }, '/mig', 15],
    ['all parts of one', { gpus: '0', metric: 'memoryUsedMiB', aggregation: 'max' }, '/mig', 1000],
  ])('reads %s', async (_, metadata, path, expected) => {
    expect((await read(dcgm(metadata, path))).value).toBeCloseTo(expected, 9);
  });

  it.each([
    ['a page that is not there', {}, '/none', 'not-found'],
    ['a page of somebody else', {}, '/other', 'bad-answer'],
    ['no series with the label', { labels: 'namespace=none' }, '/metrics', 'not-found'],
    ['a value that is none', {}, '/broken', 'bad-answer'],
    ['a value that is not told', {}, '/nan', 'unsupported'],
  ])('does not take %s for idle', async (_, metadata, path, code) => {
    expect((await failure(dcgm(metadata, path))).code).toBe(code);
  });

  it('says at once that nothing listens', async () => {
    expect(await failure({ source: 'dcgm', url: 'http://127.0.0.1:1/metrics' })).toMatchObject({ code: 'unreachable' });
  });
});

describe('settings', () => {
  it.each([
    [{}, []],
    [{ url: 'http://dcgm:9400/metrics' }, ['url is for source dcgm only']],
    [{ source: 'dcgm' }, ['url is missing: source dcgm needs the page of the exporter']],
    [{ source: 'dcgm', urlFromEnv: 'DCGM' }, []],
    [{ source: 'dcgm', url: 'dcgm:9400' }, ['url must be an http or https address']],
    [{ source: 'dcgm', url: 'http://d/m', labels: 'a=b,c' }, ['labels must be written name=value, found "c"']],
  ])('%j', (metadata, messages) => {
    const written = { metadata: { value: '70', ...metadata }, auth: {} };
    const { settings, problems } = readSettings(gpu.parameters, { ...written, env: null });
    expect(problems).toEqual([]);
    expect(gpu.check?.(settings, written).map(({ message }) => message)).toEqual(messages);
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
