import { SeededRandom } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import { ScaleWorld } from './scaleWorld.fixture.ts';

/** Seven pods run, three are ended by others; `see` shows their end without what takes their place. */
async function threeGone(): Promise<ScaleWorld> {
  const world = new ScaleWorld(7);
  await world.turn();
  for (const name of world.live().slice(0, 3)) world.end(name);
  return world;
}

async function settled(world: ScaleWorld, wanted: number, writes: number[]): Promise<void> {
  await world.calm();
  expect(world.wrong).toEqual([]);
  expect(world.writes).toEqual(writes);
  expect({ count: world.count, pods: world.live().length, held: world.held().length }).toEqual({
    count: wanted,
    pods: wanted,
    held: wanted,
  });
}

describe('pods that others end while the target’s controller replaces them', () => {
  it('are asked for anew before their replacements are seen: those are them, and nothing is written', async () => {
    const world = await threeGone();
    world.see();
    await world.turn();
    expect(world.held().filter((id) => id.startsWith('asked'))).toHaveLength(3);
    world.control();
    world.see();
    await settled(world, 7, []);
    expect(world.held().filter((id) => id.startsWith('asked'))).toHaveLength(3);
  });

  it('are not asked for where their replacements are seen in the same turn', async () => {
    const world = await threeGone();
    world.control();
    world.see();
    await settled(world, 7, []);
    expect(world.held().filter((id) => id.startsWith('asked'))).toEqual([]);
  });

  it.each([
    ['before', true],
    ['after', false],
  ])(
    'are asked for as far as their replacements are missing, with the end of the first seen %s one',
    async (_, first) => {
      const world = await threeGone();
      const [gone = ''] = [...world.pods.keys()];
      if (first) world.remove(gone);
      world.control();
      if (!first) world.remove(gone);
      world.see(5);
      await world.turn();
      world.see();
      await settled(world, 7, []);
    },
  );

  it.each([
    ['more, planned with their loss', 9, [9]],
    ['fewer than are left, planned with their loss', 3, [3]],
    ['fewer, and not more than are left', 4, [4]],
    ['none', 0, [0]],
  ])('and another count is decided in that turn: %s', async (_, wanted, writes) => {
    for (const seenFirst of [true, false]) {
      const world = await threeGone();
      if (seenFirst) world.see();
      world.decide(wanted);
      if (!seenFirst) world.see();
      await world.turn();
      await settled(world, wanted, writes);
    }
  });

  it('and more are decided before, between and after their replacements', async () => {
    for (const at of [0, 1, 2, 3]) {
      const world = await threeGone();
      if (at === 0) world.decide(9);
      await world.turn();
      world.see();
      if (at === 1) world.decide(9);
      await world.turn();
      world.control();
      world.see(2);
      if (at === 2) world.decide(9);
      await world.turn();
      world.see();
      if (at === 3) world.decide(9);
      await settled(world, 9, [9]);
    }
  });

  it('and another one leads: before their end was seen, after it, and with the replacements there', async () => {
    for (const at of [0, 1, 2]) {
      const world = await threeGone();
      if (at === 0) world.lead();
      world.see();
      if (at === 1) world.lead();
      await world.turn();
      world.control();
      if (at === 2) world.lead();
      world.see();
      await settled(world, 7, []);
    }
  });

  it('and they fail instead: the engine gives them up at once, and their places stay', async () => {
    const world = new ScaleWorld(7);
    await world.turn();
    for (const name of world.live().slice(0, 3)) world.end(name, 'failed');
    world.see();
    await world.turn();
    world.control();
    world.see();
    await settled(world, 7, []);
  });
});

it('writes what is wanted in that moment and nothing else, in any order of events', async () => {
  let writes = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const random = new SeededRandom(seed);
    const below = (count: number) => Math.floor(random.next() * count);
    const world = new ScaleWorld(below(9));
    const aPod = () => [...world.pods.keys()][below(world.pods.size)] ?? '';
    const steps: [string, () => unknown][] = [
      ['decide', () => world.decide(below(12))],
      ['end', () => world.end(aPod(), below(4) === 0 ? 'failed' : 'stopping')],
      ['end', () => world.end(aPod())],
      ['remove', () => world.remove(aPod())],
      ['control', () => world.control()],
      ['see one', () => world.see(1)],
      ['see', () => world.see()],
      ['turn', () => world.turn()],
      ['turn', () => world.turn()],
      ['lead', () => below(5) === 0 && world.lead()],
      ['later', () => below(5) === 0 && world.clock.advance(below(12_000))],
    ];
    const trail: string[] = [];
    for (let left = 40; left > 0; left--) {
      const [title, step] = steps[below(steps.length)] ?? ['', () => {}];
      trail.push(title);
      await step();
    }
    const wanted = below(9);
    world.decide(wanted);
    await world.calm();
    const found = { count: world.count, pods: world.live().length, held: world.held().length, wrong: world.wrong };
    const seen = `seed ${seed}: ${trail.join(', ')}`;
    expect(found, seen).toEqual({ count: wanted, pods: wanted, held: wanted, wrong: [] });
    writes += world.writes.length;
  }
  expect(writes).toBeGreaterThan(300);
});
