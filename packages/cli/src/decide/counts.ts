import type { ClassObservation, DecisionSpec } from '@ebb/core';
import { LineError } from './lineError.ts';
import { checkNames, count, type JsonRecord, object, orElse, record } from './shape.ts';
import { classNamesOf } from './spec.ts';

/** What the decision before gave: where an observation says nothing of replicas, they are all there and ready. */
export interface Before {
  /** Null: not known, so that the time must be given. */
  nowMs: number | null;
  replicas: number;
  classes: Record<string, number>;
}

export interface Counts {
  classes: Record<string, ClassObservation>;
  /** Size of the target as its document has it. */
  replicas: number;
}

export const countNames = ['ready', 'starting', 'draining', 'failed', 'inFlight', 'held'] as const;

const classCounts = object<ClassObservation>({
  ready: orElse(count, 0),
  starting: orElse(count, 0),
  draining: orElse(count, 0),
  failed: orElse(count, 0),
  inFlight: orElse(count, 0),
  held: orElse(count, 0),
});

/**
 * Replicas and requests of an observation: by class (`classes`), of the first class (`ready`, `starting` …), as one
 * number of ready replicas (`replicas`), or as decided before.
 */
export function countsOf(given: JsonRecord, path: string, spec: DecisionSpec, before: Before | null): Counts {
  const names = classNamesOf(spec);
  const short = Object.fromEntries(
    countNames.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
  );
  const classes: Record<string, ClassObservation> = {};
  if (given.classes !== undefined) {
    if (Object.keys(short).length > 0) {
      throw new LineError(`${path} has classes and also ${Object.keys(short).join(', ')}; write the counts in classes`);
    }
    const byClass = record(given.classes, `${path}.classes`);
    checkNames(byClass, names, `${path}.classes`, 'class');
    for (const name of names) classes[name] = classCounts(byClass[name] ?? {}, `${path}.classes.${name}`);
  } else {
    const readyOf = (name: string, index: number) =>
      short.ready === undefined && short.starting === undefined ? assumedReady(given, path, before, name, index) : 0;
    for (const [index, name] of names.entries()) {
      const own = index === 0 ? short : {};
      classes[name] = classCounts({ ready: readyOf(name, index), ...own }, path);
    }
  }
  const there = Object.values(classes).reduce((sum, seen) => sum + seen.ready + seen.starting, 0);
  const replicas = given.replicas === undefined ? there : count(given.replicas, `${path}.replicas`);
  return { classes, replicas };
}

function assumedReady(given: JsonRecord, path: string, before: Before | null, name: string, index: number): number {
  if (given.replicas !== undefined) return index === 0 ? count(given.replicas, `${path}.replicas`) : 0;
  return before?.classes[name] ?? 0;
}
