import { unitsPerUs } from './batching.ts';

/**
 * The same world written once more in the plainest way, for one workload with a constant number of replicas from the
 * beginning: no engine, no dispatcher, arrays that are searched from end to end.
 */
export interface NaiveRequest {
  atUs: number;
  serviceUs: number;
}

export interface NaiveOptions {
  replicas: number;
  slots: number;
  holdUs: number;
  clientTimeoutUs: number;
  retries: number;
  /** Work that is done in a microsecond on each of so many requests of a replica, of `unitsPerUs`. Left out: all of it. */
  rate?: (requests: number) => number;
}

export interface NaiveOutcome {
  beganUs: number | null;
  endUs: number;
  tries: number;
}

interface Waiting {
  request: number;
  enteredUs: number;
  order: number;
}

export function runNaively(requests: readonly NaiveRequest[], options: NaiveOptions): NaiveOutcome[] {
  const outcomes: (NaiveOutcome | null)[] = requests.map(() => null);
  const tries = requests.map(() => 0);
  const busy: { left: number; request: number; beganUs: number }[][] = Array.from(
    { length: options.replicas },
    () => [],
  );
  const rate = options.rate ?? (() => unitsPerUs);
  let workedUs = 0;
  let waiting: Waiting[] = [];
  let orders = 0;
  let next = 0;

  const dueUs = (one: Waiting) =>
    one.enteredUs + Math.min(options.holdUs, options.clientTimeoutUs > 0 ? options.clientTimeoutUs : Infinity);
  const serve = (nowUs: number) => {
    waiting.sort((a, b) => a.order - b.order);
    for (;;) {
      const free = busy.filter((running) => running.length < options.slots);
      const first = waiting[0];
      if (!first || free.length === 0) return;
      waiting = waiting.slice(1);
      // Which replica serves does not matter here: they are all alike, or there is one.
      const serviceUs = requests[first.request]?.serviceUs ?? 0;
      free[0]?.push({ left: serviceUs * unitsPerUs, request: first.request, beganUs: nowUs });
    }
  };
  const enter = (request: number, nowUs: number) => {
    tries[request] = (tries[request] ?? 0) + 1;
    waiting.push({ request, enteredUs: nowUs, order: orders++ });
    serve(nowUs);
  };

  for (;;) {
    const ends = busy.flatMap((running) =>
      running.map(({ left }) => workedUs + Math.ceil(left / rate(running.length))),
    );
    const leaves = waiting.map(dueUs);
    const arrivalUs = requests[next]?.atUs ?? Infinity;
    const nowUs = Math.min(arrivalUs, ...ends, ...leaves);
    if (nowUs === Infinity) break;
    for (const running of busy) {
      const done = rate(running.length) * (nowUs - workedUs);
      for (const one of running) one.left -= done;
    }
    workedUs = nowUs;
    if (ends.includes(nowUs)) {
      for (const [index, running] of busy.entries()) {
        for (const one of running.filter(({ left }) => left <= 0)) {
          outcomes[one.request] = { beganUs: one.beganUs, endUs: nowUs, tries: tries[one.request] ?? 0 };
        }
        busy[index] = running.filter(({ left }) => left > 0);
      }
      serve(nowUs);
    } else if (leaves.includes(nowUs)) {
      const leaving = waiting.filter((one) => dueUs(one) === nowUs);
      waiting = waiting.filter((one) => dueUs(one) !== nowUs);
      for (const one of leaving) {
        const gaveUp = options.clientTimeoutUs > 0 && options.clientTimeoutUs < options.holdUs;
        if (gaveUp && (tries[one.request] ?? 0) <= options.retries) enter(one.request, nowUs);
        else outcomes[one.request] = { beganUs: null, endUs: nowUs, tries: tries[one.request] ?? 0 };
      }
    } else {
      enter(next++, nowUs);
    }
  }
  return outcomes.map((outcome) => outcome as NaiveOutcome);
}
