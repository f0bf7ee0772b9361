const minuteMs = 60_000;

/** A stock-out or quota keeps an offering away so long, doubled by each failure in a row up to the longest. */
export const backOffMs = { first: 3 * minuteMs, longest: 30 * minuteMs };
/** A failure so long after the end of the last back-off is the first one again. */
export const backOffForgottenMs = 60 * minuteMs;
/** Asking again after `throttled` and `unavailable`, doubled each time. */
export const askAgainMs = { first: 2000, longest: 5 * minuteMs };
/** A machine that was told to end and does not is told again after this, doubled each time. */
export const endAgainMs = { first: minuteMs, longest: 10 * minuteMs };
/** A node that was told to end and that the provider never showed is forgotten after this. */
export const unseenEndMs = 5 * minuteMs;
/** A provider that has come back gets so long to show its machines before anything counts as late. */
export const settleMs = minuteMs;
/** Between telling pods to end and ending their machine. */
export const evictMs = 30_000;
/** So long before a machine is taken its pods are told to end. */
export const evictBeforeMs = 10_000;
/** How long a machine stays that goes at a time which nobody told: the shortest notice of the large clouds. */
export const assumedNoticeMs = 30_000;
/** Losses are kept so long, and at most so many. */
export const lossesKept = { ageMs: 24 * 60 * minuteMs, count: 500 };
/** For so long the largest pod of a pool is what its spares are bought for. */
export const largestKeptMs = 24 * 60 * minuteMs;

/** Part of a pool's nodes that may be replaced at once because they are not ready any more: where it is more, the fault is likely elsewhere. */
export const repairShare = 0.2;

/** The nth delay, counted from 1, of a doubling one. */
export function doubled({ first, longest }: { first: number; longest: number }, nth: number): number {
  return Math.min(longest, first * 2 ** Math.min(30, Math.max(0, nth - 1)));
}
