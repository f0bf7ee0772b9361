import { available, type RabbitMqService, startRabbitMq } from '@ebb/testing/services';
import { connect } from 'amqplib';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningExample, samplePicture } from '../examples/image-queue/testing/runningExample.fixture.ts';

/**
 * The image queue through real parts: RabbitMQ, Ebb's processes, one process for each message with the real model, and
 * the page's own server.
 */
describe.runIf(available('rabbitmq'))('the image queue', () => {
  let rabbit: RabbitMqService;
  let example: RunningExample;

  beforeAll(async () => {
    rabbit = await startRabbitMq();
    example = await RunningExample.start(rabbit.amqpUrl);
  });
  afterAll(async () => {
    await example?.stop();
    await rabbit?.stop();
  });

  const pictureOf = (state: Awaited<ReturnType<RunningExample['state']>>, id: string) =>
    state.pictures.find(({ task }) => task.id === id);

  /** Ready and unacknowledged messages, from the broker's own tool. */
  async function messages(queue: string): Promise<{ ready: number; unacknowledged: number }> {
    const lines = await rabbit.ctl([
      'list_queues',
      '--no-table-headers',
      'name',
      'messages_ready',
      'messages_unacknowledged',
    ]);
    const row = lines.split('\n').find((line) => line.startsWith(`${queue}\t`));
    const [, ready, unacknowledged] = row?.split('\t') ?? [];
    return { ready: Number(ready), unacknowledged: Number(unacknowledged) };
  }

  /** Something with structure, `side` pixels square. */
  function pattern(side: number, seed: number): Buffer {
    const png = new PNG({ width: side, height: side });
    for (let at = 0; at < side * side; at += 1) {
      const wave = 128 + 100 * Math.sin((at % side) / (3 + seed)) * Math.cos(at / side / 5);
      png.data.set([wave, 255 - wave, (wave * seed) % 255, 255], at * 4);
    }
    return PNG.sync.write(png);
  }

  it('holds nothing before the first message', async () => {
    const { jobs } = await example.until(({ jobs: { running, problem } }) => running === 0 && problem === '');
    expect(jobs).toMatchObject({ max: 3, list: [] });
  });

  it('makes five pictures, three at once at most, and goes back to zero', async () => {
    const sides = [32, 40, 48, 56, 64];
    const ids = await Promise.all(sides.map((side, index) => example.submit(pattern(side, index + 1), `${side}.png`)));
    let most = 0;
    let mostTaken = 0;
    const end = await example.until(
      ({ pictures, jobs }) =>
        jobs.running === 0 && ids.every((id) => pictures.find(({ task }) => task.id === id)?.state === 'done'),
      ({ jobs, pictures }) => {
        most = Math.max(most, jobs.running ?? 0);
        mostTaken = Math.max(mostTaken, pictures.filter(({ state }) => state === 'processing').length);
      },
    );
    expect(most).toBe(3);
    expect(mostTaken).toBeLessThanOrEqual(3);
    for (const [index, id] of ids.entries()) {
      const large = PNG.sync.read(await example.result(id));
      const side = sides[index] ?? 0;
      expect([large.width, large.height]).toEqual([side * 4, side * 4]);
      // Seen from afar it is the picture that was sent: the mean of its red.
      expect(meanRed(large)).toBeCloseTo(meanRed(PNG.sync.read(pattern(side, index + 1))), -1);
      expect(pictureOf(end, id)).toMatchObject({ delivery: 1, message: '' });
    }
    // One Job for each: no two pictures have the same.
    expect(new Set(ids.map((id) => pictureOf(end, id)?.job)).size).toBe(ids.length);
    expect(end.jobs.list).toEqual([]);
    await expect.poll(() => messages('tasks'), { timeout: 60_000 }).toEqual({ ready: 0, unacknowledged: 0 });
    for (const { pid } of end.pictures) expect(isAlive(pid)).toBe(false);
  });

  it('gives the message of a killed worker to another one', async () => {
    const id = await example.submit(samplePicture('galaxies.jpg'), 'galaxies.jpg', 'image/jpeg');
    const taken = pictureOf(await example.until((state) => pictureOf(state, id)?.state === 'processing'), id);
    process.kill(taken?.pid ?? 0, 'SIGKILL');
    const end = await example.until((state) => pictureOf(state, id)?.state === 'done' && state.jobs.running === 0);
    const picture = pictureOf(end, id);
    expect(picture).toMatchObject({ delivery: 2, result: { width: 512, height: 512 } });
    expect(picture?.job).not.toBe(taken?.job);
    await expect.poll(() => messages('tasks'), { timeout: 60_000 }).toEqual({ ready: 0, unacknowledged: 0 });
  });

  it('finishes its picture, or gives it back, when it is told to end', async () => {
    const id = await example.submit(samplePicture('cat.png'), 'cat.png');
    const taken = pictureOf(await example.until((state) => pictureOf(state, id)?.state === 'processing'), id);
    // On a slow machine it may have finished and ended before it is told.
    if (isAlive(taken?.pid ?? null)) process.kill(taken?.pid ?? 0, 'SIGTERM');
    const picture = pictureOf(await example.until((state) => pictureOf(state, id)?.state === 'done'), id);
    expect(picture).toMatchObject({ delivery: 1, job: taken?.job });
  });

  it('puts a picture that cannot be read aside at once, and says why', async () => {
    const broken = samplePicture('cat.png').fill(0, 2000, 2100);
    const id = await example.submit(broken, 'broken.png');
    const end = await example.until((state) => pictureOf(state, id)?.state === 'failed' && state.jobs.running === 0);
    expect(pictureOf(end, id)).toMatchObject({ delivery: 1, message: expect.stringMatching(/PNG cannot be decoded/) });
    await expect.poll(() => messages('tasks.failed'), { timeout: 60_000 }).toMatchObject({ ready: 1 });
  });

  it('tries a message that fails again, but not for ever', async () => {
    const task = {
      id: 'lost',
      name: 'lost.png',
      input: 'lost/original.png',
      output: 'lost/result.png',
      submittedAt: Date.now(),
    };
    await publish([JSON.stringify(task), 'no task at all']);
    const end = await example.until(
      (state) => pictureOf(state, 'lost')?.state === 'failed' && state.jobs.running === 0,
    );
    expect(pictureOf(end, 'lost')).toMatchObject({
      delivery: 4,
      message: expect.stringMatching(/there is no lost\/original\.png .*given back too often/),
    });
    await expect.poll(() => messages('tasks'), { timeout: 60_000 }).toEqual({ ready: 0, unacknowledged: 0 });
    await expect.poll(() => messages('tasks.failed'), { timeout: 60_000 }).toMatchObject({ ready: 3 });
  });

  it.each<[string, Buffer, string, RegExp]>([
    ['words', Buffer.from('hello'), 'image/png', /400.*does not start as a PNG/],
    ['a GIF', Buffer.from('GIF89a'), 'image/gif', /415.*image\/png or image\/jpeg/],
    ['five megabytes', Buffer.alloc(5 * 1024 * 1024), 'image/png', /413.*at most/],
  ])('refuses %s before anything is stored or published', async (_name, bytes, type, why) => {
    const before = (await example.state()).pictures.length;
    await expect(example.submit(bytes, 'x', type)).rejects.toThrow(why);
    expect((await example.state()).pictures).toHaveLength(before);
  });

  it('answers its own page only', async () => {
    const foreign = await fetch(`${example.url}/state`, { headers: { origin: 'http://example.com' } });
    expect(foreign.status).toBe(403);
  });

  it('ends everything that it has started', async () => {
    expect(await example.stop()).toBe(0);
    await expect(fetch(example.url)).rejects.toThrow();
  });

  async function publish(texts: string[]): Promise<void> {
    const connection = await connect(rabbit.amqpUrl);
    const channel = await connection.createConfirmChannel();
    for (const text of texts) channel.sendToQueue('tasks', Buffer.from(text), { persistent: true });
    await channel.waitForConfirms();
    await connection.close();
  }
});

function meanRed({ data }: PNG): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += data[at] ?? 0;
  return sum / (data.length / 4);
}

function isAlive(pid: number | null): boolean {
  try {
    process.kill(pid ?? 0, 0);
    return pid !== null;
  } catch {
    return false;
  }
}
