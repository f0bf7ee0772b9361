import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type DecideResult, decide, jobsToCreate, type Memory, type Observation, reasonSentence } from '@ebb/core';
import { nearest, type ParsedDocument } from '@ebb/documents';
import type { DecideFlags } from '../commands/decide.ts';
import type { EbbContext } from '../context.ts';
import { readDocuments, refuseProblems } from '../documents.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';
import { beforeOf, memoryOf } from './batch.ts';
import { readObservation } from './observation.ts';
import { decisionLines, jobLines } from './render.ts';
import { jobSentences, readingsOfTriggers } from './scaledJob.ts';
import { isRecord, type JsonRecord } from './shape.ts';
import { decidableKinds, type Subject, subjectOf } from './subject.ts';
import { readState, writeState } from './state.ts';

type Flags = DecideFlags & { file: string };

/** One decision from a document, flags and files; prints it. Throws a `LineError` for what the flags say wrong. */
export async function calculate(context: EbbContext, flags: Flags, name: string | undefined): Promise<void> {
  const sources = await readSources(context, [flags.file]);
  // What is read is given here: where it would come from may be left out.
  const { documents, problems } = readDocuments(sources, { checksTriggers: false });
  // That this version does not run a kind is no matter here.
  const relevant = problems.filter(({ code }) => code !== 'mode-not-available');
  refuseProblems(context, relevant, { json: flags.json ?? false, consequence: 'nothing was decided' });
  const subject = chooseSubject(documents, flags.file, name);
  const given = observationOf(context, flags);
  if (subject.type === 'jobs') {
    decideJobs(context, flags, subject, given);
    return;
  }
  refuseFlags(flags, ['running', 'pending'], `a ${subject.kind}`);
  const { spec } = subject;
  const state = flags.state === undefined ? null : readState(context, flags.state);
  const memory = memoryOf(state?.memory, spec);
  const atMs = flags.at ?? (given.nowMs === undefined ? (state === null ? 0 : state.nextMs) : undefined);
  const before = beforeOf(memory, atMs) ?? startOf(subject);
  const observation = readObservation(spec, given, 'observation', before, atMs);
  const result = decide(spec, memory, observation);
  if (flags.state !== undefined) writeState(context, flags.state, observation.nowMs, result);
  tell(
    context,
    flags,
    subject,
    observation,
    { simple: isRecord(given.readings) ? given.readings : {}, memory },
    result,
  );
}

function tell(
  context: EbbContext,
  flags: Flags,
  subject: Extract<Subject, { type: 'replicas' }>,
  observation: Observation,
  from: { simple: JsonRecord; memory: Memory | null },
  result: DecideResult,
): void {
  const { decision } = result;
  if (flags.json) {
    const sentences = decision.reasons.map((reason) => ({
      stage: reason.stage,
      code: reason.code,
      sentence: reasonSentence(reason),
    }));
    context.json({ atMs: observation.nowMs, decision, memory: result.memory, sentences });
    return;
  }
  context.out(...decisionLines(context, subject, observation, from.simple, from.memory !== null, decision));
}

/** Where nothing says how many replicas there are: as many as the document begins with. */
function startOf(subject: Extract<Subject, { type: 'replicas' }>) {
  const { spec } = subject;
  if (spec.policy !== 'hpa' && spec.policy !== 'keda') return null;
  const replicas = spec.minReplicas;
  return { nowMs: null, replicas, classes: { default: replicas } };
}

function decideJobs(
  context: EbbContext,
  flags: Flags,
  subject: Extract<Subject, { type: 'jobs' }>,
  given: JsonRecord,
): void {
  refuseFlags(flags, ['replicas', 'ready', 'starting', 'inFlight', 'held', 'at', 'state'], 'a ScaledJob');
  const counts = { running: flags.running ?? 0, pending: flags.pending ?? 0 };
  if (counts.pending > counts.running) {
    throw new Failure('usage', `${counts.pending} jobs cannot be pending of ${counts.running} running.`, [
      '--running counts all jobs that have not finished, the pending ones too',
    ]);
  }
  const readings = readingsOfTriggers(subject.triggers, given.readings, 'readings');
  const jobs = jobsToCreate(subject.rules, readings, counts);
  const sentences = jobSentences(subject.rules, counts, jobs);
  if (flags.json) context.json({ jobs, sentences });
  else context.out(...jobLines(context, subject.name, readings, sentences, jobs));
}

function refuseFlags(flags: Flags, names: readonly (keyof DecideFlags)[], of: string): void {
  const given = names.find((name) => flags[name] !== undefined);
  if (given === undefined) return;
  const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new Failure('usage', `--${flag} says nothing about ${of}.`);
}

/** The one document that is meant. */
function chooseSubject(documents: ParsedDocument[], file: string, name: string | undefined): Subject {
  const subjects = documents.flatMap((parsed) => subjectOf(parsed) ?? []);
  if (subjects.length === 0) {
    throw new Failure('usage', `there is nothing to decide in ${file}.`, [`kinds: ${decidableKinds.join(', ')}`]);
  }
  const named = name === undefined ? subjects : subjects.filter((subject) => subject.name === name);
  const [only] = named;
  if (only && named.length === 1) return only;
  const names = subjects.map((subject) => subject.name);
  if (name === undefined || named.length > 1) {
    throw new Failure('usage', `${file} has ${subjects.length} documents that can be decided; name one.`, [
      ...subjects.map((subject) => `ebb decide -f ${file} ${subject.name}    (${subject.kind})`),
    ]);
  }
  const meant = nearest(name, names);
  throw new Failure('usage', `there is no "${name}" in ${file}.${meant ? ` Did you mean "${meant}"?` : ''}`, [
    `it has ${names.join(', ')}`,
  ]);
}

/** The observation of the file, and over it what the flags say. */
function observationOf(context: EbbContext, flags: Flags): JsonRecord {
  const base = flags.observation === undefined ? {} : readJson(context, flags.observation);
  const given: Record<string, unknown> = { ...base };
  for (const name of ['replicas', 'ready', 'starting', 'inFlight', 'held'] as const) {
    if (flags[name] !== undefined) given[name] = flags[name];
  }
  const readings = flags.reading ?? [];
  if (readings.length > 0) {
    if (Array.isArray(given.readings)) {
      throw new Failure('usage', '--reading cannot be added to a list of readings.', [
        'write the readings of the observation as an object of values by trigger',
      ]);
    }
    given.readings = {
      ...(isRecord(given.readings) ? given.readings : {}),
      ...Object.fromEntries(readings.map(readingOf)),
    };
  }
  if (flags.at !== undefined) delete given.nowMs;
  return given;
}

/** `queue=40` as name and value. */
function readingOf(input: string): [string, unknown] {
  const equals = input.indexOf('=');
  if (equals < 1 || equals === input.length - 1) {
    throw new Failure('usage', `"${input}" is no reading.`, ['write NAME=VALUE, such as --reading queue=40']);
  }
  const value = input.slice(equals + 1);
  const asNumber = Number(value);
  return [input.slice(0, equals), value.trim() !== '' && Number.isFinite(asNumber) ? asNumber : value];
}

function readJson(context: EbbContext, path: string): JsonRecord {
  const absolute = resolve(context.workingDirectory, path);
  if (!existsSync(absolute)) throw new Failure('usage', `there is no file "${path}".`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(absolute, 'utf8'));
  } catch (error) {
    throw new Failure('usage', `${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (isRecord(value)) return value;
  throw new Failure('usage', `${path} holds no JSON object.`);
}
