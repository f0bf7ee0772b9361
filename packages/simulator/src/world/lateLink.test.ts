import type { GatewayEvent } from '@ebb/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { comparableModel } from '../contract/model.ts';
import { Draws } from '../kernel/draws.ts';
import { Kernel } from '../kernel/kernel.ts';
import { LateLink } from './lateLink.ts';
import { Stretches } from './stretches.ts';

const noArrivals = { nextUs: Number.POSITIVE_INFINITY, arrive: () => false, refill: async () => {} };
const faults = { ...comparableModel(1).faults, staleEveryHours: 0.01, staleMs: 20_000 };

/** Sends a message at each of these moments; which came, when. */
async function sent(momentsUs: readonly number[], seed: number): Promise<{ sentUs: number; cameUs: number }[]> {
  const kernel = new Kernel();
  const came: { sentUs: number; cameUs: number }[] = [];
  const link = new LateLink(kernel, faults, new Draws(seed), (event) => {
    if (event.type === 'counts') came.push({ sentUs: event.atUs, cameUs: kernel.nowUs });
  });
  const send = kernel.kind(() => {
    const event: GatewayEvent = { type: 'counts', gateway: 'g', atUs: kernel.nowUs, counts: [] };
    link.send(event);
  });
  for (const atUs of momentsUs) kernel.put(atUs, send);
  await kernel.run(noArrivals, () => false);
  return came;
}

it('a link that is behind loses nothing, keeps the order, and is as old as the model says at its worst', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 300 }),
      fc.nat({ max: 1000 }),
      async (gaps, seed) => {
        let atUs = 0;
        const moments = gaps.map((gap) => (atUs += gap));
        const came = await sent(moments, seed);
        expect(came.map(({ sentUs }) => sentUs)).toEqual(moments);
        let beforeUs = 0;
        for (const { sentUs, cameUs } of came) {
          expect(cameUs).toBeGreaterThanOrEqual(Math.max(sentUs, beforeUs));
          // What is sent each second comes at most two seconds apart, so that nobody takes it for silence.
          expect(cameUs - beforeUs).toBeLessThanOrEqual(2_000_001);
          expect(cameUs - sentUs).toBeLessThanOrEqual(20_000_000);
          beforeUs = cameUs;
        }
      },
    ),
  );
});

it('it gets as far behind as it may, and on time again', async () => {
  const moments = Array.from({ length: 3600 }, (_, second) => second * 1_000_000);
  const ages = (await sent(moments, 1)).map(({ sentUs, cameUs }) => cameUs - sentUs);
  const stretches = new Stretches(faults.staleEveryHours, 2 * faults.staleMs, new Draws(1));
  const within = moments.map((us) => stretches.sinceUs(us));
  expect(Math.max(...ages)).toBeGreaterThan(19_000_000);
  expect(ages.filter((age) => age === 0).length).toBeGreaterThan(600);
  for (const [index, sinceUs] of within.entries()) {
    const wanted = sinceUs === null ? 0 : Math.min(sinceUs, 40_000_000 - sinceUs);
    expect(Math.abs((ages[index] ?? -1) - wanted)).toBeLessThanOrEqual(1);
  }
});

it('it lets nothing overtake what it still holds as it catches up', async () => {
  const stretches = new Stretches(faults.staleEveryHours, 2 * faults.staleMs, new Draws(1));
  let nowUs = 0;
  let sinceUs = stretches.sinceUs(nowUs);
  while (sinceUs === null) sinceUs = stretches.sinceUs((nowUs += 1_000_000));
  const end = Math.ceil(nowUs - sinceUs + 40_000_000);
  const moments = Array.from({ length: 9 }, (_, index) => end - 4 + index);
  expect((await sent(moments, 1)).map(({ sentUs }) => sentUs)).toEqual(moments);
});
