import type { DriverPhase, ReplicaObservation, ReplicaStart } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import { isLive, type PodView } from './pod.ts';

/** One replica that the engine knows of, and the pod that it is. */
export interface Slot {
  readonly id: string;
  readonly class: string;
  readonly revision: string;
  readonly askedAtMs: number;
  /** Null where the pod was there before it was asked for. */
  readonly askedAtUs: number | null;
  /** Null while it waits for one. */
  pod: PodView | null;
  /** Microseconds from when it was asked for until its pod was seen. */
  podAfterUs: number | null;
  wasReady: boolean;
  readyAtMs: number | null;
  readyAtUs: number | null;
  /**
   * Null: it is to stay. `asked`: the engine has given it up, and nothing is done about it yet. `scale`: the count was
   * lowered for it. `delete`: its pod is being deleted, because another one takes its place.
   */
  leaving: 'asked' | 'scale' | 'delete' | null;
  /** Its pod ends though nobody here asked for that. */
  outgoing: boolean;
  /** What was told of it last. */
  told: string;
}

export function newSlot(
  { id, class: className, revision }: Pick<ReplicaStart, 'id' | 'class' | 'revision'>,
  asked: { atMs: number; atUs: number | null },
): Slot {
  return {
    id,
    class: className,
    revision,
    askedAtMs: asked.atMs,
    askedAtUs: asked.atUs,
    pod: null,
    podAfterUs: null,
    wasReady: false,
    readyAtMs: null,
    readyAtUs: null,
    leaving: null,
    outgoing: false,
    told: '',
  };
}

/** It is to be there: with its pod, or with one that is still to come. */
export function isCounted({ leaving, outgoing }: Slot): boolean {
  return leaving === null && !outgoing;
}

export function hasLivePod({ pod }: Slot): boolean {
  return pod !== null && isLive(pod);
}

export function phaseOf({ pod, leaving, wasReady }: Slot): DriverPhase {
  if (pod?.phase === 'failed') return 'failed';
  if (leaving !== null || pod?.phase === 'stopping') return 'stopping';
  if (pod?.phase === 'ready') return 'ready';
  return wasReady ? 'unready' : 'starting';
}

export function observationOf(slot: Slot, workload: ObjectKey, phase: DriverPhase = phaseOf(slot)): ReplicaObservation {
  const { pod } = slot;
  const isReady = phase === 'ready';
  // One that is unready for a while keeps the requests it has: a gateway is to know it, to say when it has none left.
  const isServing = isReady || phase === 'unready';
  return {
    id: slot.id,
    workload,
    class: slot.class,
    revision: slot.revision,
    node: pod?.node ?? '',
    phase,
    endpoint: isServing && pod?.ip && pod.port !== null ? { host: pod.ip, port: pod.port } : null,
    pid: null,
    restarts: pod?.restarts ?? 0,
    message: pod ? pod.message : phase === 'starting' ? 'waits for its pod' : '',
    failure: pod?.failure ?? null,
    askedAtMs: slot.askedAtMs,
    readyAtMs: isReady ? slot.readyAtMs : null,
    readyAtUs: isReady ? slot.readyAtUs : null,
    stagesUs: { askToSpawn: slot.podAfterUs, spawnToListen: null, listenToReady: null },
  };
}
