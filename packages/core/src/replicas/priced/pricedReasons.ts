import type { Reason } from '../../explain/reasons.ts';
import type { ClassAnswer, ClassTerms } from './classStep.ts';

const tenth = (value: number): number => Math.round(value * 10) / 10;

/** The numbers that led to what one class asks for. */
export function answerReasons(name: string, answer: ClassAnswer, terms: ClassTerms): Reason[] {
  const { serviceSeconds, demand, needed, backlog, idle } = answer;
  const { coldStartSeconds, slots } = terms;
  const reasons: Reason[] = [
    {
      code: 'priced-demand',
      stage: 'recommendation',
      data: {
        class: name,
        demand: tenth(demand),
        serviceMs: Math.round(1000 * serviceSeconds),
        slots,
        held: terms.seen.held,
        replicas: needed,
      },
    },
  ];
  if (backlog > 0) {
    const data = {
      class: name,
      held: terms.seen.held,
      coldStartMs: Math.round(1000 * coldStartSeconds),
      replicas: backlog,
    };
    reasons.push({ code: 'priced-backlog', stage: 'recommendation', data });
  }
  if (idle) {
    const { replicas, idleMs, missSeconds, returns } = idle;
    const code = idle.ahead ? 'priced-start-ahead' : 'priced-held';
    const coldStartMs = Math.round(1000 * coldStartSeconds);
    const data = { class: name, replicas, idleMs, missMs: 1000 * missSeconds, chance: returns, coldStartMs };
    reasons.push({ code, stage: 'recommendation', data });
  }
  return reasons;
}
