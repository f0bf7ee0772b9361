import type { ClassHintMemory } from './classHintMemory.ts';
import type { ClassHintSpec } from './classHintSpec.ts';
import { cheapest, compareClasses } from './compareClasses.ts';

/** Data without which no hint is given, and for which another class must be clearly cheaper, seconds. */
export const leastSeconds = 3600;
/** Clearly cheaper: at most this part of the cost. */
const clearly = 0.85;

/**
 * Which class the hint names. The first is the cheapest; it changes when another one has been cheaper by at least 15 %
 * for an hour of data, whichever of them has the higher price.
 */
export function settleHint(spec: ClassHintSpec, memory: ClassHintMemory): ClassHintMemory {
  if (memory.seconds < leastSeconds) return memory;
  const none = { ...memory, held: null, rival: null };
  const comparison = compareClasses(spec, memory);
  if (!comparison || comparison.compared.length < 2) return none;
  const best = cheapest(comparison.compared);
  if (!best) return { ...memory, rival: null };
  const { name } = best.class;
  const held = comparison.compared.find((one) => one.class.name === memory.held);
  if (!held) return { ...memory, held: name, rival: null };
  const isClear = !held.keepsPromise || best.costPerHourMicro <= clearly * held.costPerHourMicro;
  if (best === held || !isClear) return { ...memory, rival: null };
  const since = memory.rival?.class === name ? memory.rival.since : memory.seconds;
  if (memory.seconds - since >= leastSeconds) return { ...memory, held: name, rival: null };
  return { ...memory, rival: { class: name, since } };
}
