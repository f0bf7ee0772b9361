import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { until, WorkerProcess } from '../workerProcess.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
// Looked up here, as the worker is started with no PATH.
const python = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).stdout?.trim();

describe.each([
  { language: 'node', command: process.execPath, args: ['worker.mjs'], missing: '' },
  { language: 'python', command: python, args: ['worker.py'], missing: hasPython ? '' : 'python3 is not installed' },
])('hello in $language', ({ language, command, args, missing }) => {
  const start = () => new WorkerProcess(new URL(`${language}/`, import.meta.url), command, args);
  const test = (name: string, run: () => Promise<void>) =>
    it(missing ? `${name} (skipped: ${missing})` : name, async ({ skip }: TestContext) => {
      skip(missing !== '', missing);
      await run();
    });
  let worker: WorkerProcess;
  let url: string;

  beforeAll(async () => {
    if (missing) return;
    worker = start();
    url = await worker.url;
    await worker.ready();
  });
  afterAll(() => worker?.[Symbol.asyncDispose]());

  test('greets under any path, with its name', async () => {
    for (const path of ['/', '//', '/hello', '/hello-python?ms=1', '/hello/there?ms=nonsense']) {
      const response = await fetch(url + path);
      expect(response.status).toBe(200);
      expect(await response.text()).toMatch(/^hello from example-0 \(pid \d+\)\n$/);
    }
    expect(await (await fetch(`${url}/hello`, { method: 'POST', body: 'some words' })).text()).toMatch(/^hello from/);
  });

  test('takes as long as it is told, and others meanwhile', async () => {
    const before = performance.now();
    let slowDone = false;
    const slow = fetch(`${url}/?ms=400`).then((response) => {
      slowDone = true;
      return response.text();
    });
    await (await fetch(url)).text();
    expect(slowDone).toBe(false);
    await slow;
    expect(performance.now() - before).toBeGreaterThan(395);
  });

  test('streams events one by one', async () => {
    const response = await fetch(`${url}/hello/stream?chunks=3&ms=60`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const parts: string[] = [];
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) parts.push(part);
    expect(parts.length).toBeGreaterThan(1);
    const events = parts.join('').trimEnd().split('\n\n');
    expect(events.map((event) => JSON.parse(event.replace(/^data: /, '')))).toEqual(
      [1, 2, 3].map((chunk) => ({ chunk, of: 3, from: expect.stringContaining('example-0') })),
    );
  });

  test('goes on after a caller has left a stream', async () => {
    const caller = new AbortController();
    const response = await fetch(`${url}/stream?chunks=20&ms=5`, { signal: caller.signal });
    await response.body!.getReader().read();
    caller.abort();
    expect((await fetch(url)).status).toBe(200);
    expect(worker.lines.join('\n')).not.toContain('Traceback');
  });

  test('ends at once when told to stop while idle', async () => {
    await using own = start();
    await own.ready();
    own.kill('SIGTERM');
    expect(await own.exited).toEqual({ code: 0, signal: null });
  });

  test('finishes what is in flight when told to stop', async () => {
    await using own = start();
    const ownUrl = await own.url;
    const stream = await fetch(`${ownUrl}/stream?chunks=8&ms=50`);
    own.kill('SIGTERM');
    await until(
      () =>
        fetch(ownUrl).then(
          () => false,
          () => true,
        ),
      5_000,
      () => 'it still takes requests',
    );
    expect((await stream.text()).match(/^data: /gm)).toHaveLength(8);
    expect(await own.exited).toEqual({ code: 0, signal: null });
  });
});
