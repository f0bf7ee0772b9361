import type { ReplicaStart } from '@ebb/core';
import { aborted } from './pause.ts';
import { nowUs } from './monotonic.ts';
import type { ProbeTarget } from './probes.ts';
import { becomeReady } from './startup.ts';
import { probeSteadily } from './steady.ts';

/** Why a process is to end, or has ended. */
export interface LifeEnd {
  failure: string;
  message: string;
  /** Starting it again would end the same. */
  final: boolean;
}

/** One process of a replica, from its spawn to its end. */
export interface Life {
  start: ReplicaStart;
  target: ProbeTarget;
  spawnedAtUs: number;
  /** Already seen ready or unready by an earlier agent; null: it is starting. */
  adopted: 'ready' | 'unready' | null;
  /** The process has exited or is to stop. */
  signal: AbortSignal;
  startingCount(): number;
  onListening(atUs: number): void;
  onReady(atUs: number): void;
  onReadiness(ready: boolean, message: string): void;
}

/** Probes a process through its life. Resolves with the reason to end it, or null when it was called off. */
export async function watchLife(life: Life): Promise<LifeEnd | null> {
  if (life.adopted === null) {
    const end = await watchStart(life);
    if (end || life.signal.aborted) return end;
  }
  return watchSteady(life);
}

async function watchStart(life: Life): Promise<LifeEnd | null> {
  const { budgetMs } = life.start.probes.startup;
  const budget = new AbortController();
  const spentMs = (nowUs() - life.spawnedAtUs) / 1000;
  const timer = setTimeout(() => budget.abort(), Math.max(0, budgetMs - spentMs));
  let waiting = `nothing listens on port ${life.target.port}`;
  const readyAtUs = await becomeReady({
    probes: life.start.probes,
    target: life.target,
    signal: AbortSignal.any([life.signal, budget.signal]),
    spawnedAtUs: life.spawnedAtUs,
    startingCount: life.startingCount,
    onListening(atUs) {
      waiting = 'no answer to its readiness probe';
      life.onListening(atUs);
    },
    onWaiting(message) {
      waiting = message;
    },
  });
  clearTimeout(timer);
  if (readyAtUs !== null) life.onReady(readyAtUs);
  if (readyAtUs !== null || life.signal.aborted) return null;
  return { failure: 'startup-budget', message: `not ready within ${durationText(budgetMs)}: ${waiting}`, final: true };
}

async function watchSteady({ start, target, signal, adopted, onReadiness }: Life): Promise<LifeEnd | null> {
  const { readiness, liveness } = start.probes;
  let end: LifeEnd | null = null;
  const ended = new AbortController();
  const steady = { target, signal: AbortSignal.any([signal, ended.signal]) };
  const firstInMs = ({ periodMs }: { periodMs: number }) => (adopted === null ? periodMs : 0);
  const loops = [
    probeSteadily({
      ...steady,
      probe: readiness,
      initially: adopted !== 'unready',
      firstInMs: firstInMs(readiness),
      onChange: onReadiness,
    }),
  ];
  if (liveness) {
    const onChange = (_alive: boolean, message: string) => {
      end = { failure: 'liveness', message: `liveness probe failed: ${message}`, final: false };
      ended.abort();
    };
    loops.push(
      probeSteadily({ ...steady, probe: liveness, initially: true, firstInMs: firstInMs(liveness), onChange }),
    );
  }
  await aborted(steady.signal);
  await Promise.all(loops);
  return end;
}

/** `30 s`, `1.5 s`, `250 ms`. */
export function durationText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}
