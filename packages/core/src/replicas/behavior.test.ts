import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { applyBehavior, emptyBehaviorMemory, rememberRecommendation } from './behavior.ts';

const second = 1000;
const behavior = {
  scaleUp: { stabilizationMs: 0, selectPolicy: 'Max' as const, policies: [] },
  scaleDown: { stabilizationMs: 900 * second, selectPolicy: 'Max' as const, policies: [] },
};

it('comes down once its window is over, however restless the demand was', () => {
  const memory = emptyBehaviorMemory();
  let current = 0;
  let nowMs = 0;
  for (; nowMs < 3600 * second; nowMs += second) {
    // One peak at the beginning, then noise for an hour.
    const asked = nowMs < 60 * second ? 60 : 3 + ((nowMs / second) % 7);
    rememberRecommendation(memory, nowMs, asked, 900 * second);
    current = applyBehavior(behavior, memory, nowMs, current, asked).replicas;
  }
  expect(current).toBe(9);
  expect(memory.history.length).toBeLessThan(20);
});

it('gives what all recommendations of the window would give', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 200 })), { maxLength: 300 }), (steps) => {
      const memory = emptyBehaviorMemory();
      const all: [number, number, number][] = [];
      let current = 0;
      let nowMs = 0;
      for (const [asked, afterS] of steps) {
        nowMs += afterS * second;
        const last = all.at(-1);
        if (last) last[2] = nowMs;
        all.push([asked, nowMs, nowMs]);
        rememberRecommendation(memory, nowMs, asked, 900 * second);
        const before = current;
        current = applyBehavior(behavior, memory, nowMs, before, asked).replicas;
        const highest = Math.max(
          asked,
          ...all.filter(([, , untilMs]) => untilMs + 900 * second > nowMs).map(([count]) => count),
        );
        expect(current).toBe(before < asked ? asked : before > highest ? highest : before);
      }
    }),
  );
});
