import type { ReasonEntry } from './reasonTable.ts';
import { count, seconds, shortNumber } from './wording.ts';

/** Reasons of the slow loop and of the error budget of the policy `slo`. */
export const sloLoopReasons: Record<string, ReasonEntry> = {
  'slo-floor': {
    stage: 'combine',
    weight: 7,
    when: 'SLO policy with metrics: the demand needs more by what a replica has been seen to do within its marks',
    sentence: (d) =>
      `A demand of ${shortNumber(d.demand)} ${d.unit} a second at ${shortNumber(d.capacity)} a replica needs ${count(d.replicas)}; the triggers asked for ${d.wanted}.`,
  },
  'slo-draining': {
    stage: 'recommendation',
    weight: 7,
    when: 'SLO trigger on metrics of replicas: it is over its mark, and what had piled up is done before more could help',
    sentence: (d) =>
      `${d.trigger} is at ${d.value} ${d.unit}, over ${d.above}, but more is answered than asked; what had piled up is done in ${seconds(d.remainingMs)}: ${count(d.replicas)} stay.`,
  },
  'slo-metrics-missing': {
    stage: 'combine',
    weight: 8,
    when: 'SLO policy with metrics: replicas cannot be read, which is never taken for rest',
    sentence: (d) =>
      `The metrics of ${d.missing} of ${count(d.ready, 'ready replica')} cannot be read (${d.why}): nothing shrinks, ${count(d.replicas)}.`,
  },
  'slo-budget': {
    stage: 'combine',
    weight: 0,
    when: 'SLO policy with an objective: how much of the error budget is left, and how fast it is spent',
    sentence: (d) =>
      `Error budget of ${d.trigger}: ${d.leftPercent} % left of the ${d.allowedPercent} % that may be late in ${span(d.windowMs)} (${Math.round(Number(d.late))} of ${Math.round(Number(d.timed))} were), spent at ${shortNumber(Math.round(Number(d.burn) * 100) / 100)} times the allowed rate over ${span(d.longMs)}${verdicts[String(d.verdict)] ?? ''}.`,
  },
  'slo-budget-holds': {
    stage: 'combine',
    weight: 8,
    when: 'SLO policy with an objective: fewer would do, but the error budget is spent or is being burnt',
    sentence: (d) =>
      `${d.wanted} would do, but the error budget is ${d.verdict === 'spent' ? 'spent' : 'being burnt fast'}: ${count(d.replicas)} stay.`,
  },
};

const verdicts: Record<string, string> = { plenty: ': steps down may be larger', burning: ': too fast' };

/** Long windows in hours: `6 h`. */
const span = (ms: unknown): string =>
  Number(ms) >= 7_200_000 ? `${Math.round(Number(ms) / 360_000) / 10} h` : seconds(ms);
