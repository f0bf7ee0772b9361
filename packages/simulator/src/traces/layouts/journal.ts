import type { DecisionSpec, JournalRecord, Observation, Reading } from '@ebb/core';
import { Replayer } from '@ebb/engine';
import { shorten } from '../fields.ts';
import { type CountLayout, type CountSink, RowError } from '../layout.ts';
import { defaultSeed } from '../options.ts';
import { bucketRandom, hashText } from '../random.ts';

const secondUs = 1_000_000;

/** What one workload's readings say of its arrivals, by second of the clock. */
interface Heard {
  /** Requests that the gateway counted. */
  counted: Map<number, number>;
  hasCounts: boolean;
  /** Slot-seconds of requests that were held or in service. */
  demand: Map<number, number>;
  /** Rises of what was held or in service. */
  rises: Map<number, number>;
  before: number;
}

/**
 * What `ebb journal export` writes. The journal holds no single requests. Where a workload has readings of its request
 * rate, rate × span is the exact count of the gateway, spread over the span. Where it has the concurrency only, arrivals are
 * slot-seconds ÷ an assumed service, or else the rises of what was held or in service: at least so many came.
 */
export const journal: CountLayout = {
  title: "Ebb's journal",
  header: '{"sequence":1,"segment":1,"atMs":0,"kind":"snapshot","workload":null,"body":{}}',
  arrivals: 'spread',
  recognises: (firstLine) =>
    firstLine.startsWith('{') && firstLine.includes('"sequence"') && firstLine.includes('"kind"'),
  read: (_firstLine, sink, { seed = defaultSeed, journalServiceMs }) => {
    const workloads = new Map<string, Heard>();
    let firstMs: number | null = null;
    let lastMs = 0;
    let sequence = 0;
    let failure = '';
    // Only what was observed is wanted; nothing is decided anew.
    const replayer = new Replayer((_spec, memory) => ({ decision: noDecision, memory: memory ?? noMemory }), {
      step: ({ workload, spec, observation }) => {
        let heard = workloads.get(workload);
        if (!heard) {
          heard = { counted: new Map(), hasCounts: false, demand: new Map(), rises: new Map(), before: 0 };
          workloads.set(workload, heard);
        }
        hear(heard, spec, observation, (second) => bucketRandom(seed, second, hashText(workload)));
      },
      failed: ({ message }) => {
        failure = message;
      },
    });
    return {
      line: (text) => {
        const record = parseRecord(text);
        if (record.sequence <= sequence) throw new RowError(`record ${record.sequence} comes after ${sequence}`);
        sequence = record.sequence;
        firstMs ??= record.atMs;
        lastMs = Math.max(lastMs, record.atMs);
        replayer.take(record);
        if (failure !== '') throw new RowError(`its readings cannot be read: ${failure}`);
      },
      end: () => {
        sink.setBucketUs(secondUs);
        writeCounts(workloads, sink, Math.floor((firstMs ?? 0) / 1000), journalServiceMs);
        sink.setSpanUs((Math.floor(lastMs / 1000) - Math.floor((firstMs ?? 0) / 1000) + 1) * secondUs);
      },
    };
  },
};

function hear(
  heard: Heard,
  spec: DecisionSpec,
  { nowMs, readings, classes }: Observation,
  randomOf: (second: number) => () => number,
): void {
  const typeOf = (name: string) =>
    (spec.policy === 'windows' ? spec.scaling.triggers.find((trigger) => trigger.name === name)?.type : undefined) ??
    name;
  for (const reading of readings) {
    if (reading.state !== 'ok' || reading.value === null || reading.spanMs <= 0) continue;
    const type = typeOf(reading.trigger);
    if (type === 'requestRate') {
      heard.hasCounts = true;
      const random = randomOf(reading.atMs);
      const requests = Math.round((reading.value * reading.spanMs) / 1000);
      for (let one = 0; one < requests; one++) add(heard.counted, reading.atMs - reading.spanMs * random(), 1);
    } else if (type === 'concurrency') overSeconds(heard.demand, reading, reading.value / 1000);
  }
  const now = Object.values(classes).reduce((sum, { held, inFlight }) => sum + held + inFlight, 0);
  if (now > heard.before) add(heard.rises, nowMs, now - heard.before);
  heard.before = now;
}

/** Spreads `amountPerMs` evenly over the span of a reading. */
function overSeconds(seconds: Map<number, number>, { atMs, spanMs }: Reading, amountPerMs: number): void {
  for (let fromMs = atMs - spanMs; fromMs < atMs; ) {
    const toMs = Math.min(atMs, (Math.floor(fromMs / 1000) + 1) * 1000);
    add(seconds, fromMs, amountPerMs * (toMs - fromMs));
    fromMs = toMs;
  }
}

function add(seconds: Map<number, number>, atMs: number, amount: number): void {
  const second = Math.floor(atMs / 1000);
  seconds.set(second, (seconds.get(second) ?? 0) + amount);
}

function writeCounts(
  workloads: ReadonlyMap<string, Heard>,
  sink: CountSink,
  firstSecond: number,
  serviceMs: number | undefined,
): void {
  let [exact, fromDemand, fromRises] = [0, 0, 0];
  for (const [name, { hasCounts, counted, demand, rises }] of workloads) {
    const workload = sink.workload(name);
    const isDemand = !hasCounts && serviceMs !== undefined;
    if (hasCounts) exact++;
    else if (isDemand) fromDemand++;
    else fromRises++;
    const source = hasCounts ? counted : isDemand ? demand : rises;
    let rest = 0;
    for (const [second, amount] of [...source].sort(([a], [b]) => a - b)) {
      rest += isDemand ? (amount * 1000) / serviceMs : amount;
      const count = Math.round(rest);
      rest -= count;
      // The span of the first reading may begin before the first record.
      if (count > 0) sink.add(Math.max(0, second - firstSecond) * secondUs, workload, count);
    }
  }
  if (exact > 0)
    sink.note(
      `${exact} of ${workloads.size} workloads: requests as the gateway counted them, exact but for their moments within a reading's span`,
    );
  if (fromDemand > 0) sink.note(`${fromDemand}: concurrency ÷ an assumed service of ${serviceMs} ms`);
  if (fromRises > 0)
    sink.note(
      `${fromRises}: rises of what was held or in service, the least that can have arrived (a trigger of type requestRate gives counts)`,
    );
}

const noDecision = { classes: {}, replicas: 0, reasons: [], revisitAtMs: null };
const noMemory = { version: 1, policy: 'none' };

function parseRecord(text: string): JournalRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RowError(`is not JSON: ${shorten(text)}`);
  }
  const fields = new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  const [sequence, segment, atMs] = ['sequence', 'segment', 'atMs'].map((field) => fields.get(field));
  const kind = fields.get('kind');
  const workload = fields.get('workload') ?? null;
  if (typeof sequence !== 'number' || typeof segment !== 'number' || typeof atMs !== 'number') {
    throw new RowError('is no record of a journal: expected sequence, segment, atMs, kind, workload and body');
  }
  if (!isKind(kind) || (workload !== null && typeof workload !== 'string'))
    throw new RowError(`has kind ${shorten(JSON.stringify(kind) ?? 'none')}: not one of a journal's`);
  return { sequence, segment, atMs, kind, workload, body: fields.get('body') };
}

function isKind(value: unknown): value is JournalRecord['kind'] {
  return (
    typeof value === 'string' &&
    ['snapshot', 'reading', 'event', 'decision', 'grant', 'action', 'outcome'].includes(value)
  );
}
