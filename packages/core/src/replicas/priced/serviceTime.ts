import type { FlowObservation } from '../types.ts';

/** Learned length of a service. All decayed, so that a new model is learnt within some hundred requests. */
export interface ServiceMemory {
  /** Sum of the lengths, seconds, and how many they are. */
  sum: number;
  count: number;
  /** Time that those in flight have been in service already, seconds, and how many they were when it was looked at. */
  elapsed: number;
  inFlight: number;
}

const decay = 0.995;
/** Before anything is known: one service of this length, seconds. */
const assumed = 2;
/** From so many services on what still runs says nothing new. */
const enough = 60;

export function emptyService(): ServiceMemory {
  return { sum: 0, count: 0, elapsed: 0, inFlight: 0 };
}

/** Takes what was answered in the last `spanSeconds`. */
export function learnService(
  memory: ServiceMemory,
  flow: FlowObservation,
  inFlight: number,
  spanSeconds: number,
): void {
  const { answered, serviceMs } = flow;
  if (answered > 0) {
    const kept = decay ** answered;
    const weight = (1 - kept) / (1 - decay);
    memory.sum = memory.sum * kept + (serviceMs / 1000 / answered) * weight;
    memory.count = memory.count * kept + weight;
  }
  const running = (spanSeconds * (memory.inFlight + inFlight)) / 2;
  memory.elapsed = inFlight === 0 ? 0 : Math.max(0, memory.elapsed + running - serviceMs / 1000);
  memory.inFlight = inFlight;
}

/**
 * Mean length of a service, seconds. While few have ended, those that still run count for what they took so far: a slow
 * model must not look fast because only its short answers are back.
 */
export function meanService({ sum, count, elapsed }: ServiceMemory): number {
  return (sum + assumed + (count < enough ? elapsed : 0)) / (count + 1);
}
