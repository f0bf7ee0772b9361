import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until, WorkerProcess } from '../workerProcess.ts';

const folder = new URL('./', import.meta.url);
const start = (environment?: Record<string, string>) =>
  new WorkerProcess(folder, process.execPath, ['worker.mjs'], environment);

interface Pixels {
  width: number;
  height: number;
  /** RGBA */
  data: Uint8Array;
}

const text = (words: string) => new Uint8Array(Buffer.from(words));

const file = (name: string) => readFileSync(new URL(`images/${name}`, folder));

function post(url: string, body: Uint8Array<ArrayBuffer>, type = 'image/png', signal: AbortSignal | null = null) {
  return fetch(`${url}/upscale`, { method: 'POST', headers: { 'content-type': type }, body, signal });
}

async function enlarge(url: string, body: Uint8Array<ArrayBuffer>, type?: string): Promise<Pixels> {
  const response = await post(url, body, type);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('image/png');
  return PNG.sync.read(Buffer.from(await response.arrayBuffer()));
}

/** Something with structure everywhere, so that a pixel in the wrong place shows. */
function pattern(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const wave = (a: number, b: number) => 128 + 100 * Math.sin(x / a) * Math.cos(y / b);
      data.set([wave(3, 7), wave(11, 5), wave(6, 17), 255], (y * width + x) * 4);
    }
  }
  return { width, height, data };
}

function crop({ width, data }: Pixels, left: number, top: number, toWidth: number, toHeight: number): Pixels {
  const part = new Uint8Array(toWidth * toHeight * 4);
  for (let y = 0; y < toHeight; y += 1) {
    const from = ((top + y) * width + left) * 4;
    part.set(data.subarray(from, from + toWidth * 4), y * toWidth * 4);
  }
  return { width: toWidth, height: toHeight, data: part };
}

function png({ width, height, data }: Pixels): Uint8Array<ArrayBuffer> {
  const image = new PNG({ width, height });
  image.data = Buffer.from(data);
  return new Uint8Array(PNG.sync.write(image));
}

/** Each block of 4 × 4 pixels as its mean. */
function boxed({ width, data }: Pixels, by: number): Pixels {
  const small = { width: width / by, height: data.length / 4 / width / by };
  const means = new Uint8Array(small.width * small.height * 4);
  for (let index = 0; index < means.length; index += 1) {
    const pixel = index >> 2;
    const [x, y] = [(pixel % small.width) * by, Math.floor(pixel / small.width) * by];
    let sum = 0;
    for (let dy = 0; dy < by; dy += 1) {
      for (let dx = 0; dx < by; dx += 1) sum += data[((y + dy) * width + x + dx) * 4 + (index & 3)] ?? 0;
    }
    means[index] = Math.round(sum / by / by);
  }
  return { ...small, data: means };
}

function difference(a: Pixels, b: Pixels): { mean: number; most: number } {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  let sum = 0;
  let most = 0;
  for (const [index, value] of a.data.entries()) {
    const distance = Math.abs(value - (b.data[index] ?? 0));
    sum += distance;
    most = Math.max(most, distance);
  }
  return { mean: sum / a.data.length, most };
}

describe('the upscaler', () => {
  let worker: WorkerProcess;
  let url: string;
  const log = () => worker.lines.join('\n');

  beforeAll(async () => {
    // The first fetch of a process loads its parts; the next one has to come before the model is loaded.
    await fetch('data:,');
    worker = start();
    url = await worker.url;
    // It listens before the model is there, and says so.
    expect((await fetch(`${url}/healthz`)).status).toBe(503);
    expect((await post(url, png(pattern(8, 8)))).status).toBe(503);
    await worker.ready();
  });
  afterAll(() => worker[Symbol.asyncDispose]());

  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };

  it.each(['astronaut.png', 'cat.png', 'coffee.png', 'galaxies.jpg', 'rocket.jpg'])(
    'enlarges %s and keeps what it shows',
    async (name) => {
      const body = file(name);
      const isPng = name.endsWith('.png');
      const before: Pixels = isPng ? PNG.sync.read(body) : jpeg.decode(body, { useTArray: true });
      const after = await enlarge(url, body, isPng ? 'image/png' : 'image/jpeg');
      expect([after.width, after.height]).toEqual([before.width * 4, before.height * 4]);
      // Seen from afar it is the picture that was sent.
      expect(difference(boxed(after, 4), before).mean).toBeLessThan(3);
    },
  );

  it("gives the picture that the model's makers published for their sample", async () => {
    const require = createRequire(new URL('model.mjs', folder));
    const main = require.resolve('@upscalerjs/esrgan-slim');
    const assets = `${main.slice(0, main.lastIndexOf('esrgan-slim/dist') + 'esrgan-slim'.length)}/assets`;
    const published: Pixels = PNG.sync.read(readFileSync(`${assets}/samples/4x/result.png`));
    const after = await enlarge(url, readFileSync(`${assets}/fixture.png`));
    // Kernels differ in the last bit, and so may the rounding.
    expect(difference(after, published).most).toBeLessThanOrEqual(1);
  });

  it('shows no seam where tiles meet', async () => {
    const whole = pattern(200, 40);
    const part = crop(whole, 70, 0, 60, 40);
    const fromWhole = crop(await enlarge(url, png(whole)), 320, 0, 160, 160);
    const fromPart = crop(await enlarge(url, png(part)), 40, 0, 160, 160);
    expect(difference(fromWhole, fromPart).most).toBeLessThanOrEqual(1);
  });

  it('answers requests that come together as it answers them alone, and probes meanwhile', async () => {
    const alone = await enlarge(url, file('coffee.png'));
    const long = enlarge(url, png(pattern(256, 256)));
    const together = Promise.all([1, 2, 3].map(() => enlarge(url, file('coffee.png'))));
    await until(async () => (await metric('upscaler_requests_waiting')) === 4, 5_000, log);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await metric('upscaler_requests_waiting')).toBe(4);
    await long;
    for (const one of await together) expect(difference(one, alone).most).toBe(0);
  });

  it('stops work that nobody waits for', async () => {
    const done = await metric('upscaler_inference_seconds_count');
    const caller = new AbortController();
    const answer = post(url, png(pattern(256, 256)), 'image/png', caller.signal);
    await until(async () => (await metric('upscaler_requests_waiting')) === 1, 5_000, log);
    caller.abort();
    await expect(answer).rejects.toThrow('aborted');
    await until(async () => (await metric('upscaler_requests_waiting')) === 0, 5_000, log);
    expect(await metric('upscaler_inference_seconds_count')).toBe(done);
    await until(async () => / POST \/upscale 499 /.test(log()), 5_000, log);
  });

  it('keeps no tensor of 100 requests', async () => {
    const body = png(pattern(16, 16));
    await enlarge(url, body);
    const before = await metric('upscaler_tensors');
    for (let request = 0; request < 100; request += 1) await enlarge(url, body);
    expect(before).toBeGreaterThan(0);
    expect(await metric('upscaler_tensors')).toBe(before);
  });

  const cat = new Uint8Array(file('cat.png'));
  const rocket = new Uint8Array(file('rocket.jpg'));
  const interlaced = Uint8Array.from(cat, (byte, index) => (index === 28 ? 1 : byte));
  const huge = Uint8Array.from(cat, (byte, index) => (index === 16 ? 0x7f : byte));
  const broken = Uint8Array.from(cat, (byte, index) => (index > 2000 && index < 2100 ? 0 : byte));

  it.each<[string, Uint8Array<ArrayBuffer>, string, number, RegExp]>([
    ['words', text('hello'), 'image/png', 400, /does not start as a PNG/],
    ['nothing', new Uint8Array(), 'image/jpeg', 400, /does not start as a JPEG/],
    ['a JPEG that is called PNG', rocket, 'image/png', 400, /does not start as a PNG/],
    ['half a PNG', cat.slice(0, cat.length / 2), 'image/png', 400, /the PNG cannot be decoded: /],
    ['the head of a PNG', cat.slice(0, 20), 'image/png', 400, /no IHDR/],
    ['a damaged PNG', broken, 'image/png', 400, /the PNG cannot be decoded: /],
    ['an interlaced PNG', interlaced, 'image/png', 400, /interlaced/],
    ['the head of a JPEG', rocket.slice(0, 200), 'image/jpeg', 400, /JPEG/],
    ['a picture of two billion columns', huge, 'image/png', 413, /no side may be longer than 256 px; it is \d+x96/],
    ['257 pixels', png(pattern(257, 1)), 'image/png', 413, /it is 257x1/],
    ['five megabytes', new Uint8Array(5 * 1024 * 1024), 'image/png', 413, /at most 4194304 bytes/],
    ['a GIF', text('GIF89a'), 'image/gif', 415, /image\/png or image\/jpeg, not image\/gif/],
  ])('refuses %s and says why', async (_name, body, type, status, why) => {
    const response = await post(url, body, type);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = await response.json();
    expect(problem).toEqual({
      type: 'about:blank',
      title: response.statusText,
      status,
      detail: expect.stringMatching(why),
    });
  });

  it('refuses a body without a length once it is too long', async () => {
    // A stream, so that its length is not told ahead.
    const options = { method: 'POST', headers: { 'content-type': 'image/png' }, duplex: 'half' };
    const body = new Blob([new Uint8Array(5 * 1024 * 1024)]).stream();
    const request = new Request(`${url}/upscale`, { ...options, body });
    expect((await fetch(request)).status).toBe(413);
  });

  it('tells how to use it, and what is not there', async () => {
    expect(await (await fetch(url)).text()).toContain(`${url}/upscale`);
    for (const path of ['/nowhere', '//', '/toString']) expect((await fetch(url + path)).status).toBe(404);
    const wrongMethod = await fetch(`${url}/upscale`);
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('takes its limits from the environment', async () => {
    await using small = start({ UPSCALER_MAX_SIDE: '10', UPSCALER_MAX_BODY_BYTES: '2000' });
    await small.ready();
    expect((await post(await small.url, png(pattern(11, 4)))).status).toBe(413);
    expect((await post(await small.url, text('x'.repeat(2001)))).status).toBe(413);
    expect((await post(await small.url, png(pattern(10, 4)))).status).toBe(200);
  });

  it('does not start with a limit that is no number', async () => {
    await using wrong = start({ UPSCALER_MAX_SIDE: 'large' });
    await expect(wrong.url).rejects.toThrow('UPSCALER_MAX_SIDE must be a whole number, not "large"');
    expect((await wrong.exited).code).toBe(1);
  });

  it('finishes what is in flight when told to stop', async () => {
    await using own = start();
    await own.ready();
    const ownUrl = await own.url;
    const answer = enlarge(ownUrl, png(pattern(256, 256)));
    const waiting = async () =>
      (await (await fetch(`${ownUrl}/metrics`)).text()).includes('upscaler_requests_waiting 1');
    await until(waiting, 5_000, () => own.lines.join('\n'));
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
    expect((await answer).width).toBe(1024);
    expect(await own.exited).toEqual({ code: 0, signal: null });
  });
});
