import type { MarketMemory, SpotEvent } from './types.ts';

const hourMs = 3_600_000;

/**
 * A market that has just come back is likely to go again soon, one that has held for long goes on: on the traces of AWS V100 the
 * losses an hour fall from 1.2 in the first half hour to 0.05 after a night. `shape ÷ (held + scale)` follows that over the whole range.
 */
const shape = 0.5;
const scaleMs = 1_440_000;
/** How much is known of a market before it is seen, in losses; and how fast what was seen fades. */
const priorLosses = 2;
const halfLifeMs = 48 * hourMs;

/** Losses soon after a start are a storm: the next start waits, for longer each time. */
const stormHeldMs = 1_200_000;
const stormPauseMs = 300_000;
const calmAfterMs = hourMs;
const refusedPauseMs = 60_000;
const longestPauseMs = hourMs;
const longestRefusedPauseMs = 600_000;

/** Nothing is known of it. */
export function newMarket(id: string, nowMs: number): MarketMemory {
  return {
    ...{ id, losses: 0, expected: 0, countedAtMs: nowMs },
    ...{ heldSinceMs: null, storms: 0, refusals: 0, pausedUntilMs: 0 },
  };
}

/** Losses that a usual market has between two ages: the integral of the hazard. */
function usualLosses(fromMs: number, toMs: number): number {
  return shape * Math.log((toMs + scaleMs) / (fromMs + scaleMs));
}

/** Losses an hour that are expected of the market now, or when it has been held for `leastHeldMs`. */
export function lossesPerHour(market: MarketMemory, nowMs: number, leastHeldMs = 0): number {
  const heldMs = Math.max(leastHeldMs, market.heldSinceMs === null ? 0 : nowMs - market.heldSinceMs);
  const factor = (market.losses + priorLosses) / (market.expected + priorLosses);
  return (factor * shape * hourMs) / (heldMs + scaleMs);
}

/** Counts the time since the last call, then what happened. */
export function watchMarket(
  before: MarketMemory,
  nowMs: number,
  machines: number,
  events: readonly SpotEvent[],
): MarketMemory {
  const passedMs = Math.max(0, nowMs - before.countedAtMs);
  const fade = 0.5 ** (passedMs / halfLifeMs);
  const after = { ...before, losses: before.losses * fade, expected: before.expected * fade, countedAtMs: nowMs };
  const since = before.heldSinceMs;
  if (since !== null) {
    const heldMs = Math.max(0, before.countedAtMs - since);
    after.expected += usualLosses(heldMs, heldMs + passedMs);
  }
  for (const { type, atMs, untilMs = 0 } of events) {
    if (type === 'lost') {
      const heldMs = after.heldSinceMs === null ? 0 : Math.max(0, atMs - after.heldSinceMs);
      after.losses += 1;
      after.heldSinceMs = atMs;
      after.storms = heldMs < stormHeldMs ? after.storms + 1 : 0;
      const pauseMs = after.storms === 0 ? 0 : stormPauseMs * 2 ** Math.min(10, after.storms - 1);
      after.pausedUntilMs = Math.max(after.pausedUntilMs, atMs + Math.min(longestPauseMs, pauseMs));
    } else {
      after.refusals += 1;
      const pauseMs = Math.min(longestRefusedPauseMs, refusedPauseMs * 2 ** Math.min(10, after.refusals - 1));
      after.pausedUntilMs = Math.max(after.pausedUntilMs, atMs + pauseMs, untilMs);
    }
  }
  if (machines === 0) after.heldSinceMs = null;
  else {
    after.heldSinceMs ??= nowMs;
    if (nowMs - after.heldSinceMs >= calmAfterMs) after.storms = 0;
    if (nowMs >= after.pausedUntilMs) after.refusals = 0;
  }
  return { ...after, losses: rounded(after.losses), expected: rounded(after.expected) };
}

/** Nothing that would be missed. */
export function isForgotten(market: MarketMemory, nowMs: number): boolean {
  const { losses, expected, heldSinceMs, pausedUntilMs, storms, refusals } = market;
  const isOver = pausedUntilMs + longestPauseMs < nowMs || (storms === 0 && refusals === 0);
  return isOver && heldSinceMs === null && losses < 0.01 && expected < 0.01;
}

/** Short in the memory, which is text. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
