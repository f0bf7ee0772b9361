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
  const { action, timeoutMs, successThreshold, periodMs } = probes.readiness;
  const prober = new StartupProber(startup);
  const first = isDeepStrictEqual(probes.startup.action, action) ? null : probes.startup;
  if (first) await prober.untilYes(first.action, first.timeoutMs);
  for (let successes = 0; successes < successThreshold && !signal.aborted; successes++) {
    if (successes > 0) await pause(periodMs, signal);
    await prober.untilYes(action, timeoutMs);
  }
  return signal.aborted ? null : nowUs();
}

class StartupProber {
  readonly #startup: Startup;
  #listeningAtUs: number | null = null;

  constructor(startup: Startup) {
    this.#startup = startup;
  }

  /** Asks again and again until the answer is yes or the signal is aborted. */
  async untilYes(action: ProbeAction, timeoutMs: number): Promise<void> {
    const { target, signal, spawnedAtUs } = this.#startup;
    const beganAtUs = nowUs();
    const onConnected = (atUs: number) => this.#listens(atUs);
    while (!signal.aborted) {
      const { ok, message } = await probe(action, target, { timeoutMs, signal, onConnected });
      if (ok || signal.aborted) return;
      if (this.#listeningAtUs === null) {
        await this.#pace(spawnedAtUs, listenShare, longestListenWaitMs);
      } else {
        this.#startup.onWaiting(message);
        await this.#pace(Math.max(beganAtUs, this.#listeningAtUs), readyShare, longestReadyWaitMs);
      }
    }
  }

  #listens(atUs: number): void {
    if (this.#listeningAtUs !== null) return;
    this.#listeningAtUs = atUs;
    this.#startup.onListening(atUs);
  }

  #pace(sinceUs: number, share: number, longestMs: number): Promise<void> {
    const { startingCount, signal } = this.#startup;
    const waitedMs = (nowUs() - sinceUs) / 1000;
    const fairMs = startingCount() / mostProbesPerMs;
    return pause(Math.min(longestMs, Math.max(shortestWaitMs, fairMs, waitedMs * share)), signal);
  }
}
