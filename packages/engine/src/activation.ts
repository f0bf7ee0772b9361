/** Why starting replicas of one class does not work, and when it is tried again. Plain data. */
export interface ActivationState {
  /** Failures since the last replica that proved itself. */
  failures: number;
  /** No replica of the class is started before this. */
  retryAtMs: number;
  code: string;
  message: string;
  replica: string;
  atMs: number;
}

export interface ActivationFailure {
  code: string;
  message: string;
  replica: string;
  startedAtMs: number;
  /** How long the replica had been ready; null: it never was. */
  readyForMs: number | null;
}

const firstPauseMs = 1000;
const longestPauseMs = 60_000;
/** A replica that was ready for this long has proved that starting works. */
export const provenAfterMs = 10_000;
/** Exits before it was ever ready that a replica is allowed; the driver restarts it in place in between. */
export const startAttempts = 3;

/**
 * State after one more failure: pauses of 1 s, doubling to 60 s. Replicas of one attempt that fail together count once.
 * A replica that had served and then died is replaced at once, so that what waits is held rather than refused; if its
 * successors die as well the pauses begin. One that had proved itself leaves no failure behind at all.
 */
export function afterFailure(
  state: ActivationState | null,
  failure: ActivationFailure,
  nowMs: number,
): ActivationState {
  const { code, message, replica } = failure;
  if (state && state.failures > 0 && failure.startedAtMs <= state.atMs) return { ...state, code, message, replica };
  const proven = failure.readyForMs !== null && failure.readyForMs >= provenAfterMs;
  const failures = proven ? 0 : (state?.failures ?? 0) + 1;
  const pauses = failures - (failure.readyForMs === null ? 0 : 1);
  const pauseMs = pauses <= 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (pauses - 1));
  return { failures, retryAtMs: nowMs + pauseMs, code, message, replica, atMs: nowMs };
}

/** Whether a replica of the class may be started now. */
export function mayStart(state: ActivationState | null, nowMs: number): boolean {
  return state === null || nowMs >= state.retryAtMs;
}
