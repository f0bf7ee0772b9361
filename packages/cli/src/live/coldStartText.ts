import type { ColdStart } from '@ebb/documents';
import { microsecondsText } from '../text/format.ts';

/** The three stages a reader knows, in microseconds; a stage is null until it has passed. */
export interface ColdStartStages {
  /** Driver asked → the process exists. */
  spawnUs: number | null;
  /** Process exists → its readiness probe says yes. */
  loadUs: number | null;
  /** Readiness seen → the gateway routes to it. */
  readyUs: number | null;
  /** What Ebb itself took of the whole. */
  ebbUs: number | null;
  totalUs: number | null;
}

function sum(parts: (number | null)[]): number | null {
  let total = 0;
  for (const part of parts) {
    if (part === null) return null;
    total += part;
  }
  return total;
}

export function coldStartStages(start: ColdStart): ColdStartStages {
  const spawnUs = start.askToSpawnUs;
  const loadUs = sum([start.spawnToListenUs, start.listenToReadyUs]);
  const readyUs = start.readyToRouteUs;
  const waitUs = start.arrivalToAskUs ?? 0;
  return {
    spawnUs,
    loadUs,
    readyUs,
    ebbUs: sum([waitUs, spawnUs, readyUs]),
    totalUs: sum([waitUs, spawnUs, loadUs, readyUs]),
  };
}

/** `spawn 9.1 ms → load 642 ms → ready 0.9 ms; 652 ms (Ebb 1.8 ms)`; the ellipsis stands for what is still to come. */
export function coldStartText(start: ColdStart, arrow: string, ellipsis: string): string {
  const stages = coldStartStages(start);
  const stage = (us: number | null) => (us === null ? ellipsis : microsecondsText(us));
  const parts = [`spawn ${stage(stages.spawnUs)}`, `load ${stage(stages.loadUs)}`, `ready ${stage(stages.readyUs)}`];
  const line = parts.join(` ${arrow} `);
  if (stages.totalUs === null || stages.ebbUs === null) return line;
  return `${line}; ${microsecondsText(stages.totalUs)} (Ebb ${microsecondsText(stages.ebbUs)})`;
}
