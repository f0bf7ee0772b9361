import type { ClassHintStatus } from '@ebb/documents';
import type { ClassHintMemory } from './classHintMemory.ts';
import type { ClassHintSpec } from './classHintSpec.ts';
import { cheapest, type ComparedClass, compareClasses, type Comparison } from './compareClasses.ts';
import { leastSeconds } from './settleHint.ts';

/** Which class serves the measured load cheapest, and by how much. It changes nothing by itself. */
export interface ClassHint extends ClassHintStatus {
  class: string;
}

/** Rates are looked at up to so many times up and down, in steps of half an octave. */
const steps = 10;
const bisections = 12;
const half = { hours: 6, served: 20 };

/**
 * The hint for a workload by what was learned of it (`learnClasses`). Null before an hour of data, where fewer than two
 * classes are known, or where none keeps the promise; `whyNoHint` says which.
 */
export function hintOf(spec: ClassHintSpec, memory: ClassHintMemory | null): ClassHint | null {
  if (!memory || whyNoHint(spec, memory) !== null) return null;
  const comparison = compareClasses(spec, memory);
  const held = comparison?.compared.find((one) => one.class.name === memory.held);
  if (!comparison || !held) return null;
  const { compared, load } = comparison;
  const others = compared.filter((one) => one !== held);
  const other = cheapest(others) ?? others[0];
  if (!other) return null;
  const scale = breakEven(held, other);
  const breakEvenPerSecond = scale === null ? null : scale * load.meanPerSecond;
  return {
    class: held.class.name,
    because: sentenceOf(held, other, comparison, breakEvenPerSecond),
    costPerHourMicro: byName(compared, (one) => Math.round(one.costPerHourMicro)),
    lateShare: byName(compared, (one) => Math.round(1e4 * one.lateShare) / 1e4),
    measuredLateShare: memory.requests > 0 ? Math.round(1e4 * Math.min(1, memory.late / memory.requests)) / 1e4 : 0,
    breakEvenRatePerHour: breakEvenPerSecond === null ? null : Math.round(36_000 * breakEvenPerSecond) / 10,
    confidence: confidenceOf(memory, held, other),
  };
}

/** Why there is no hint, as a sentence for a person; null: there is one. */
export function whyNoHint(spec: ClassHintSpec, memory: ClassHintMemory | null): string | null {
  const comparison = memory && compareClasses(spec, memory);
  if (!memory || !comparison) return 'No hint yet: no request was seen.';
  const { compared, leftOut } = comparison;
  if (compared.length < 2) {
    const reasons = leftOut.map(({ class: name, why }) =>
      why === 'few-services'
        ? `how long ${name} takes for a request is not known`
        : `which requests ${name} accepts is not known`,
    );
    return `No hint: ${reasons.join('; ')}.`;
  }
  if (memory.seconds < leastSeconds) {
    return `No hint yet: ${Math.floor(memory.seconds / 60)} of 60 minutes are seen.`;
  }
  if (!cheapest(compared)) return `No hint: no class keeps the promise within maxReplicas (${spec.maxReplicas}).`;
  if (compared.every(({ costPerHourMicro }) => costPerHourMicro === 0)) return 'No hint: no class has a price.';
  return memory.held === null ? 'No hint yet.' : null;
}

/** The factor nearest to 1 by which the rates must change for the two to cost the same; null: none is near. */
function breakEven(held: ComparedClass, other: ComparedClass): number | null {
  // A class that cannot keep the promise is never the cheaper one, however little its few replicas cost.
  const lead = (scale: number): number | null => {
    const [own, next] = [held.at(scale), other.at(scale)];
    if (own.keepsPromise !== next.keepsPromise) return own.keepsPromise ? 1 : -1;
    return own.keepsPromise ? Math.sign(next.costPerHourMicro - own.costPerHourMicro) : null;
  };
  const now = lead(1);
  for (let step = 1; step <= steps; step++) {
    for (const [near, far] of [
      [2 ** (-(step - 1) / 2), 2 ** (-step / 2)],
      [2 ** ((step - 1) / 2), 2 ** (step / 2)],
    ] as const) {
      const then = lead(far);
      if (then === now || then === null) continue;
      let same = near;
      let turned = far;
      for (let round = 0; round < bisections; round++) {
        const middle = (same + turned) / 2;
        if (lead(middle) === now) same = middle;
        else turned = middle;
      }
      return turned;
    }
  }
  return null;
}

function confidenceOf(memory: ClassHintMemory, held: ComparedClass, other: ComparedClass): number {
  const hours = memory.seconds / 3600;
  const served = Math.min(held.served, other.served);
  const [low, high] = [held.costPerHourMicro, other.costPerHourMicro].sort((a, b) => a - b);
  const lead = other.keepsPromise && high ? 1 - (low ?? 0) / high : 1;
  const trust = (hours / (hours + half.hours)) * (served / (served + half.served)) * (0.5 + 0.5 * lead);
  return Math.round(100 * trust) / 100;
}

function sentenceOf(
  held: ComparedClass,
  other: ComparedClass,
  { load, leftOut }: Comparison,
  breakEvenPerSecond: number | null,
): string {
  const own = nameOf(held);
  const next = nameOf(other);
  const { meanPerSecond } = load;
  const seconds = `${digits(held.serviceSeconds)} s instead of ${digits(other.serviceSeconds)} s a service`;
  const measured = `at this load (${rateText(meanPerSecond)}, ${seconds})`;
  const cost = amount(held.costPerHourMicro);
  const otherCost = amount(other.costPerHourMicro);
  const isLess = held.costPerHourMicro <= other.costPerHourMicro;
  let text = isLess
    ? `${own} would cost ${cost} an hour instead of ${otherCost} ${measured}`
    : `${own} would cost ${cost} an hour ${measured}, ${next} ${otherCost}, too little less to change for`;
  if (!other.keepsPromise) text += `; ${next} would not keep the promise with the replicas it may have`;
  else if (breakEvenPerSecond !== null && isLess) {
    const where = breakEvenPerSecond < meanPerSecond ? 'below' : 'above';
    text += `; ${where} ${rateText(breakEvenPerSecond)} ${next} is cheaper`;
  }
  const unknown = leftOut.map(({ class: name, why }) =>
    why === 'few-services' ? `nothing is known of ${name} yet` : `which requests ${name} accepts is not known`,
  );
  return [text, ...unknown].join('; ');
}

/** `cpu`, or `cpu (gpu for what it does not accept)`. */
function nameOf({ class: { name }, rest }: ComparedClass): string {
  return rest === null ? name : `${name} (${rest} for what it does not accept)`;
}

function byName(compared: readonly ComparedClass[], of: (one: ComparedClass) => number): Record<string, number> {
  return Object.fromEntries(compared.map((one) => [one.class.name, of(one)]));
}

/** `2.3 requests a second`, and seldom ones by the hour. */
function rateText(perSecond: number): string {
  const [rate, unit] = perSecond >= 0.1 ? [digits(perSecond), 'second'] : [digits(3600 * perSecond), 'hour'];
  return `${rate} ${rate === '1' ? 'request' : 'requests'} a${unit === 'hour' ? 'n' : ''} ${unit}`;
}

function amount(micro: number): string {
  const value = micro / 1e6;
  return value >= 0.1 || value === 0 ? value.toFixed(2) : digits(value);
}

/** Two digits that count: `2.3`, `0.41`, `120`. */
function digits(value: number): string {
  return value >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
