import {
  type DecideResult,
  decide,
  type DecisionSpec,
  evaluateFormula,
  jobsToCreate,
  type Memory,
  reasonSentence,
} from '@ebb/core';
import type { Before } from './counts.ts';
import { LineError } from './lineError.ts';
import { readObservation } from './observation.ts';
import { jobCounts, jobReadings, jobSentences, readingsOfTriggers, jobRules } from './scaledJob.ts';
import {
  checkNames,
  flag,
  integer,
  isRecord,
  type JsonRecord,
  listOf,
  number,
  orElse,
  orNull,
  record,
  recordOf,
  shown,
  text,
} from './shape.ts';
import { decisionSpec } from './spec.ts';
import { type Subject, Subjects } from './subject.ts';

/** What a line may ask for, by the field that says so. */
const forms: Record<string, readonly string[]> = {
  document: ['memory', 'observation', 'at', 'steps', 'counts', 'readings'],
  spec: ['memory', 'observation', 'at', 'steps'],
  scaledJob: ['readings', 'counts'],
  formula: ['values'],
};
const always = ['id', 'sentences'];
/** Steps of one line. */
const mostSteps = 100_000;

/** Answers batch lines, one by one; remembers only the documents it has read. */
export class Batch {
  readonly #subjects = new Subjects();
  /** Lines answered, and how many of them with an error. */
  lines = 0;
  failed = 0;

  /** One line of JSON for one line of JSON; never throws for what the line holds. */
  answer(line: string): string {
    this.lines += 1;
    let id: unknown;
    try {
      const request = parseLine(line);
      id = request.id;
      return JSON.stringify({ id, ...this.#answer(request) });
    } catch (error) {
      return this.#failure(id, error);
    }
  }

  /** The answer to a line that was not read because it is too long. */
  refuse(message: string): string {
    this.lines += 1;
    return this.#failure(undefined, new LineError(message));
  }

  #failure(id: unknown, error: unknown): string {
    this.failed += 1;
    return JSON.stringify({ id, ...failureOf(error) });
  }

  #answer(request: JsonRecord): object {
    const form = Object.keys(forms).find((name) => request[name] !== undefined);
    if (form === undefined) throw new LineError(`a line has one of ${Object.keys(forms).join(', ')}`);
    checkNames(request, [...always, form, ...(forms[form] ?? [])], '');
    const inWords = orElse(flag, false)(request.sentences, 'sentences');
    switch (form) {
      case 'formula':
        return { value: formulaValue(request) };
      case 'scaledJob': {
        const rules = jobRules(request.scaledJob, 'scaledJob');
        const counts = jobCounts(request.counts ?? {}, 'counts');
        const jobs = jobsToCreate(rules, jobReadings(request.readings, 'readings'), counts);
        return { jobs, ...(inWords ? { sentences: jobSentences(rules, counts, jobs) } : {}) };
      }
      case 'document':
        return answerSubject(this.#subjects.of(request.document), request, inWords);
      default:
        return answerSpec(decisionSpec(request.spec, 'spec'), request, inWords);
    }
  }
}

function parseLine(line: string): JsonRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LineError(line.trim() === '' ? 'the line is empty' : `the line is no JSON: ${why}`);
  }
  if (!isRecord(value)) throw new LineError(`a line is a JSON object, not ${shown(value)}`);
  return value;
}

/** `error`, and where in a formula. Anything unforeseen is told as well: one line must not end the others. */
function failureOf(error: unknown): object {
  if (error instanceof LineError) return { error: error.message };
  if (error instanceof Error && 'line' in error && 'column' in error) {
    return { error: error.message, line: error.line, column: error.column };
  }
  return { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}

/** A number; null for nil; `"NaN"`, `"Infinity"`, `"-Infinity"`, which JSON has no numbers for. */
function formulaValue(request: JsonRecord): number | string | null {
  const values = recordOf(orNull(number))(request.values ?? {}, 'values');
  const value = evaluateFormula(text(request.formula, 'formula'), values);
  return value === null || Number.isFinite(value) ? value : String(value);
}

function answerSubject(subject: Subject, request: JsonRecord, inWords: boolean): object {
  if (subject.type === 'replicas') {
    checkNames(request, [...always, 'document', 'memory', 'observation', 'at', 'steps'], '');
    return answerSpec(subject.spec, request, inWords);
  }
  checkNames(request, [...always, 'document', 'readings', 'counts'], '');
  const counts = jobCounts(request.counts ?? {}, 'counts');
  const readings = readingsOfTriggers(subject.triggers, request.readings, 'readings');
  const jobs = jobsToCreate(subject.rules, readings, counts);
  return { jobs, ...(inWords ? { sentences: jobSentences(subject.rules, counts, jobs) } : {}) };
}

function answerSpec(spec: DecisionSpec, request: JsonRecord, inWords: boolean): object {
  const atMs = orElse(integer, undefined)(request.at, 'at');
  const memory = memoryOf(request.memory, spec);
  const begin = beforeOf(memory, atMs);
  if (request.steps === undefined) {
    const observation = readObservation(spec, request.observation, 'observation', begin, atMs);
    const { decision, memory: after } = decide(spec, memory, observation);
    return { decision, memory: after, ...(inWords ? { sentences: decision.reasons.map(reasonSentence) } : {}) };
  }
  if (request.observation !== undefined) throw new LineError('a line has observation or steps, not both');
  const steps = listOf((step) => step)(request.steps, 'steps');
  if (steps.length === 0 || steps.length > mostSteps) {
    throw new LineError(`steps has 1 to ${mostSteps} observations, not ${steps.length}`);
  }
  let before = begin;
  let last: DecideResult | null = null;
  const decisions = steps.map((step, index) => {
    const observation = readObservation(spec, step, `steps[${index}]`, before, index === 0 ? atMs : undefined);
    const sinceMs = before?.nowMs ?? observation.nowMs;
    if (observation.nowMs < sinceMs) {
      throw new LineError(`steps[${index}] is at ${observation.nowMs}, before the step before it (${sinceMs})`);
    }
    last = decide(spec, last === null ? memory : last.memory, observation);
    const { decision } = last;
    before = { nowMs: observation.nowMs, replicas: decision.replicas, classes: decision.classes };
    return {
      nowMs: observation.nowMs,
      ...decision,
      ...(inWords ? { sentences: decision.reasons.map(reasonSentence) } : {}),
    };
  });
  const { decision, memory: after } = last ?? { decision: null, memory: null };
  return { decisions, decision, memory: after };
}

/** A memory that this policy has written. One of another policy would be passed over without a word. */
export function memoryOf(value: unknown, spec: DecisionSpec): Memory | null {
  if (value === undefined || value === null) return null;
  const given = record(value, 'memory');
  const { version, policy } = given;
  if (typeof version !== 'number' || typeof policy !== 'string') {
    throw new LineError('memory is what a decision gave as its memory, with version and policy');
  }
  if (policy !== spec.policy) {
    throw new LineError(`memory is of the policy ${policy}, and this is decided by ${spec.policy}`);
  }
  // It came out of JSON, so all of it is JSON.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return given as unknown as Memory;
}

/** What the memory knows of the decision it belongs to. */
export function beforeOf(memory: Memory | null, atMs: number | undefined): Before | null {
  if (memory === null || typeof memory.replicas !== 'number') return null;
  const { replicas } = memory;
  const stored = isRecord(memory.classes) ? memory.classes : { default: replicas };
  const classes: Record<string, number> = {};
  for (const [name, many] of Object.entries(stored)) if (typeof many === 'number') classes[name] = many;
  return { nowMs: atMs ?? null, replicas, classes };
}
