import type { Probe, ProbeAction, StartupProbe } from '@ebb/documents';
import { isDeepStrictEqual } from 'node:util';
import { nowUs } from './monotonic.ts';
import { pause } from './pause.ts';
import { probe, type ProbeTarget } from './probes.ts';

/**
 * The wait between two probes of a starting replica begins at 1 ms and grows with the time already waited, so that a
 * replica is seen late by at most this share of its own start, at a cost that grows with the logarithm only. (Plain
 * doubling sees a replica that needs 800 ms up to 800 ms late.) A refused connection costs the replica nothing;
 * a readiness request takes its time while it loads, so those are asked for less often.
 */
const listenShare = 1 / 128;
const readyShare = 1 / 32;
const shortestWaitMs = 1;
const longestListenWaitMs = 250;
const longestReadyWaitMs = 100;

/** The agent's own limit: with many replicas starting at once each of them is probed less often. */
const mostProbesPerMs = 2;

export interface Startup {
  probes: { startup: StartupProbe; readiness: Probe };
  target: ProbeTarget;
  /** Ends the waiting: the process has exited, its budget is over, or it is to stop. */
  signal: AbortSignal;
  spawnedAtUs: number;
  startingCount(): number;
  /** It accepts connections. */
  onListening(atUs: number): void;
  /** The latest reason why it is not ready yet. */
  onWaiting(message: string): void;
}

/** Probes a started process until it is ready. Null when the signal came first, else the time it was seen ready. */
export async function becomeReady(startup: Startup): Promise<number | null> {
  const { probes, signal } = startup;
  const pace = pacer(startup);
  await untilListening(startup, pace);
  const first = isDeepStrictEqual(probes.startup.action, probes.readiness.action) ? null : probes.startup;
  if (first && !(await untilYes(startup, first.action, first.timeoutMs, pace))) return null;
  const { action, timeoutMs, successThreshold, periodMs } = probes.readiness;
  for (let successes = 0; successes < successThreshold; successes++) {
    if (successes > 0) await pause(periodMs, signal);
    if (!(await untilYes(startup, action, timeoutMs, pace))) return null;
  }
  return signal.aborted ? null : nowUs();
}

type Pace = (sinceUs: number, share: number, longestMs: number) => Promise<void>;

function pacer({ signal, startingCount }: Startup): Pace {
  return (sinceUs, share, longestMs) => {
    const waitedMs = (nowUs() - sinceUs) / 1000;
    const fairMs = startingCount() / mostProbesPerMs;
    return pause(Math.min(longestMs, Math.max(shortestWaitMs, fairMs, waitedMs * share)), signal);
  };
}

async function untilListening(
  { probes, target, signal, spawnedAtUs, onListening }: Startup,
  pace: Pace,
): Promise<void> {
  const { timeoutMs } = probes.startup;
  while (!signal.aborted) {
    const { connectedAtUs } = await probe({ type: 'tcp' }, target, { timeoutMs, signal });
    if (connectedAtUs !== null) return onListening(connectedAtUs);
    await pace(spawnedAtUs, listenShare, longestListenWaitMs);
  }
}

async function untilYes(startup: Startup, action: ProbeAction, timeoutMs: number, pace: Pace): Promise<boolean> {
  const { signal, target } = startup;
  const sinceUs = nowUs();
  while (!signal.aborted) {
    const { ok, message } = await probe(action, target, { timeoutMs, signal });
    if (ok) return true;
    if (signal.aborted) return false;
    startup.onWaiting(message);
    await pace(sinceUs, readyShare, longestReadyWaitMs);
  }
  return false;
}
