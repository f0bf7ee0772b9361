import type { DriverPhase, ReplicaObservation, ReplicaUsageSample } from '@ebb/core';
import type { ColdStart, ReplicaPhase } from '@ebb/documents';
import type { ReplicaPlace } from './nodes/replicaPlace.ts';

/** What can happen to a replica: the driver's word, or a step of the engine. */
export type ReplicaInput = DriverPhase | 'accepted' | 'drain' | 'take-back' | 'stop';

/**
 * The life of a replica. What is not listed leaves the phase as it is: late and repeated messages are harmless.
 *
 *     pending → starting → ready → draining → stopping → gone
 *                  ↕          ↖──────┘ take-back: demand returned before it was stopped
 *               backoff → failed
 */
const transitions: Record<ReplicaPhase, Partial<Record<ReplicaInput, ReplicaPhase>>> = {
  // The id is chosen and the driver is asked; it has not answered.
  pending: {
    accepted: 'starting',
    starting: 'starting',
    ready: 'ready',
    unready: 'starting',
    backoff: 'backoff',
    failed: 'failed',
    stopping: 'stopping',
    gone: 'gone',
    stop: 'stopping',
  },
  starting: {
    ready: 'ready',
    backoff: 'backoff',
    failed: 'failed',
    stopping: 'stopping',
    gone: 'gone',
    // Only one that had been ready and may still have work.
    drain: 'draining',
    stop: 'stopping',
  },
  ready: {
    starting: 'starting',
    unready: 'starting',
    backoff: 'backoff',
    failed: 'failed',
    stopping: 'stopping',
    gone: 'gone',
    drain: 'draining',
    stop: 'stopping',
  },
  // Its process ending while it drains leaves nothing to drain.
  draining: {
    backoff: 'failed',
    failed: 'failed',
    stopping: 'stopping',
    gone: 'gone',
    'take-back': 'ready',
    stop: 'stopping',
  },
  stopping: { gone: 'gone' },
  // The driver restarts it in place after a pause.
  backoff: {
    starting: 'starting',
    ready: 'ready',
    failed: 'failed',
    stopping: 'stopping',
    gone: 'gone',
    stop: 'stopping',
  },
  // Kept visible until the next attempt; the driver has been told to clean it up.
  failed: {},
  gone: {},
};

/** Phase after the input. */
export function nextPhase(phase: ReplicaPhase, input: ReplicaInput): ReplicaPhase {
  return transitions[phase][input] ?? phase;
}

/** One replica as the engine sees it. */
export interface Replica {
  readonly id: string;
  readonly class: string;
  readonly revision: string;
  /** Empty while it waits for one. */
  node: string;
  /** Null: it runs where the engine is and needs no node of its own. */
  place: ReplicaPlace | null;
  phase: ReplicaPhase;
  /** The driver's last word; null until it said anything. */
  seen: ReplicaObservation | null;
  readonly createdAtMs: number;
  /** When the driver was asked, microseconds; null for an adopted one. */
  askedAtUs: number | null;
  /** First held request that led to it, microseconds. */
  heldAtUs: number | null;
  /** When it last turned ready; null while it is not. */
  readySinceMs: number | null;
  readyAtUs: number | null;
  /** Since when its readiness probe has said no, after it had been ready. */
  unreadySinceMs: number | null;
  /** That has been so for too long: it does not count until it is ready again, and another one takes its place. */
  isOverdue: boolean;
  /** The gateway has been told of it, so it may have work until `drained`. */
  routed: boolean;
  drainSinceMs: number | null;
  /** Number of its latest drain; 0 before the first. It rises, also over restarts of the engine. */
  drain: number;
  /** A gateway that knows no numbers has called it drained; its counts have to agree. */
  drainedUnnumbered: boolean;
  /** The gateway has nothing in flight on it any more. */
  drained: boolean;
  /** When the driver did not take what it was asked for it; null: it did. */
  refusedAtMs: number | null;
  /** The driver knows nothing of it any more; it is kept only to be shown as failed. */
  ended: boolean;
  inFlight: number;
  message: string;
  coldStart: ColdStart;
  /** What it used at last; null: not told yet. */
  usage: ReplicaUsage | null;
}

/** Latest use of a replica; CPU is a mean over `windowMs` and null until two measurements are there. */
export interface ReplicaUsage {
  atMs: number;
  startedAtMs: number;
  cpuMs: number;
  cpuMilli: number | null;
  memoryBytes: number;
  windowMs: number;
}

/** Notes a measurement of the driver. */
export function noteUsage(replica: Replica, { atMs, startedAtMs, cpuMs, memoryBytes }: ReplicaUsageSample): void {
  const before = replica.usage;
  const isSame = before !== null && before.startedAtMs === startedAtMs && cpuMs >= before.cpuMs && atMs > before.atMs;
  const fromMs = isSame ? before.atMs : startedAtMs;
  const windowMs = Math.max(0, atMs - fromMs);
  const usedMs = isSame ? cpuMs - before.cpuMs : cpuMs;
  const cpuMilli = windowMs > 0 ? Math.round((usedMs * 1000) / windowMs) : null;
  replica.usage = { atMs, startedAtMs, cpuMs, cpuMilli, memoryBytes, windowMs };
}

export function newReplica(
  input: Pick<Replica, 'id' | 'class' | 'revision' | 'node' | 'createdAtMs' | 'askedAtUs' | 'heldAtUs'>,
): Replica {
  return {
    ...input,
    place: null,
    phase: 'pending',
    seen: null,
    readySinceMs: null,
    readyAtUs: null,
    unreadySinceMs: null,
    isOverdue: false,
    routed: false,
    drainSinceMs: null,
    drain: 0,
    drainedUnnumbered: false,
    drained: false,
    refusedAtMs: null,
    ended: false,
    inFlight: 0,
    message: '',
    usage: null,
    coldStart: {
      arrivalToAskUs: null,
      askToSpawnUs: null,
      spawnToListenUs: null,
      listenToReadyUs: null,
      readyToRouteUs: null,
    },
  };
}

/** Counts against the wanted number: exists and is not on its way out. */
export function isHeldOnTo(replica: Replica): boolean {
  return isPhaseHeldOnTo(replica.phase);
}

/** Is capacity now or soon. */
export function isCounted(replica: Replica): boolean {
  return isHeldOnTo(replica) && !replica.isOverdue;
}

export function isPhaseHeldOnTo(phase: ReplicaPhase): boolean {
  return phase === 'pending' || phase === 'starting' || phase === 'ready' || phase === 'backoff';
}

/** Still takes up a machine. */
export function exists(replica: Replica): boolean {
  return !replica.ended && replica.phase !== 'gone';
}
