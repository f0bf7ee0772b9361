import type { FlowObservation } from '../types.ts';
import { type ClassHintMemory, type ClassTally, firstClassHintMemory } from './classHintMemory.ts';
import type { ClassHintSpec } from './classHintSpec.ts';
import { withRate } from './dayOfRates.ts';
import { settleHint } from './settleHint.ts';

/** What was counted of all classes over one span that ended at `nowMs`; best of a minute or more. */
export interface ClassesSeen {
  nowMs: number;
  spanMs: number;
  classes: Record<string, ClassSeen>;
}

export type ClassSeen = Pick<FlowObservation, 'arrivals' | 'answered' | 'serviceMs' | 'late' | 'coldStartMs'>;

/** What a service, and a request, still counts after one more. */
const serviceKept = 0.995;
const requestKept = 0.999;
const slotSeconds = 60;
const longestSpanSeconds = 86_400;

/** The memory with one more span in it, and with the class that the hint then names. Pure; null begins anew. */
export function learnClasses(
  spec: ClassHintSpec,
  memory: ClassHintMemory | null,
  { nowMs, spanMs, classes }: ClassesSeen,
): ClassHintMemory {
  const before = memory ?? firstClassHintMemory();
  const seconds = Math.min(longestSpanSeconds, spanMs / 1000);
  if (!(seconds > 0)) return before;
  const seen = spec.classes.flatMap(({ name }) => classes[name] ?? []);
  const arrivals = seen.reduce((sum, one) => sum + one.arrivals, 0);
  const late = seen.reduce((sum, one) => sum + one.late, 0);
  const faded = requestKept ** arrivals;
  return settleHint(spec, {
    ...before,
    ...learnRates(before, nowMs, seconds, arrivals),
    seconds: Math.round(before.seconds + seconds),
    requests: rounded(before.requests * faded + arrivals),
    late: rounded(before.late * faded + late),
    classes: Object.fromEntries(
      spec.classes.map(({ name }) => [name, learnClass(before.classes[name], classes[name], faded)]),
    ),
  });
}

const nothing: ClassTally = { service: 0, served: 0, arrivals: 0, coldStartMs: null };

function learnClass(known: ClassTally = nothing, seen: ClassSeen | undefined, faded: number): ClassTally {
  if (!seen) return { ...known, arrivals: rounded(known.arrivals * faded) };
  const kept = serviceKept ** seen.answered;
  const weight = (1 - kept) / (1 - serviceKept);
  const mean = seen.answered > 0 ? seen.serviceMs / 1000 / seen.answered : 0;
  return {
    service: rounded(known.service * kept + mean * weight),
    served: rounded(known.served * kept + weight),
    arrivals: rounded(known.arrivals * faded + seen.arrivals),
    coldStartMs: seen.coldStartMs ?? known.coldStartMs,
  };
}

/**
 * The span minute by minute. A long one with hardly a request was quiet up to its last minute: whoever counts looks when
 * the first request comes.
 */
function learnRates(
  memory: ClassHintMemory,
  nowMs: number,
  seconds: number,
  arrivals: number,
): Pick<ClassHintMemory, 'rates' | 'quiet'> {
  const slots = Math.max(1, Math.round(seconds / slotSeconds));
  const length = seconds / slots;
  const cameLast = slots > 1 && arrivals < slots;
  let { rates, quiet } = memory;
  for (let slot = 1; slot <= slots; slot++) {
    const requests = cameLast ? (slot === slots ? arrivals : 0) : arrivals / slots;
    const atMs = nowMs - 1 - 1000 * length * (slots - slot);
    rates = withRate(rates, atMs, length, requests, quiet && requests > 0);
    quiet = requests === 0;
  }
  return { rates, quiet };
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
