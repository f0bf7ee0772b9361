import type { Probe } from '@ebb/documents';
import { pause } from './pause.ts';
import { probe, type ProbeTarget } from './probes.ts';

export interface SteadyProbe {
  probe: Probe;
  target: ProbeTarget;
  signal: AbortSignal;
  /** What holds before the first probe, and how long that is away. */
  initially: boolean;
  firstInMs: number;
  /** The answer changed: as many results in a row as the threshold asks for. */
  onChange(ok: boolean, message: string): void;
}

/** Probes by the period until the signal is aborted, and tells when the answer changes. */
export async function probeSteadily(steady: SteadyProbe): Promise<void> {
  const { probe: spec, target, signal, onChange } = steady;
  let state = steady.initially;
  let against = 0;
  await pause(steady.firstInMs, signal);
  while (!signal.aborted) {
    const result = await probe(spec.action, target, { timeoutMs: spec.timeoutMs, signal });
    if (signal.aborted) return;
    against = result.ok === state ? 0 : against + 1;
    if (against >= (state ? spec.failureThreshold : spec.successThreshold)) {
      state = result.ok;
      against = 0;
      onChange(state, result.message);
    }
    await pause(spec.periodMs, signal);
  }
}
