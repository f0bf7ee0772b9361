import { availableParallelism } from 'node:os';
import { formatDuration } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import { meanColdStart } from '../compare/coldStart.ts';
import { type PackedTrace, packTrace, unpackTrace } from '../compare/packedTrace.ts';
import { staticPeak } from '../compare/staticPeak.ts';
import { WorkerPool } from '../compare/workerPool.ts';
import type { WorldModel } from '../contract/model.ts';
import type { RunResult } from '../contract/result.ts';
import { Draws } from '../kernel/draws.ts';
import { requestsOf } from '../oracle/requestsOf.ts';
import { policyDocuments } from '../policies/registry.ts';
import { readTrace } from '../traces/readTrace.ts';
import { partOf } from '../tune/splitTrace.ts';
import { valueAt } from '../tune/edit.ts';
import { fullSlowdown } from '../world/batching.ts';
import { serviceTime } from '../world/serviceTime.ts';
import {
  type Advice,
  type AdviseOptions,
  type AdviceVerdict,
  type Candidate,
  leastGain,
  type Sure,
  type WhyNotZero,
} from './advice.ts';
import { blocksOf, blockSums, bootstrap, resampled } from './blocks.ts';
import { adviseOnClasses, type ClassWorld, type Study } from './classes.ts';
import { loadFacts, type LoadFacts } from './facts.ts';
import { Rehearsals } from './rehearsals.ts';

const fiveMinutesMs = 300_000;
const longestKeptMs = 3_600_000;
/** Less idle time than this is none. */
const noIdleShare = 0.01;
/** With fewer blocks nothing is said of how sure it is. */
const fewestBlocks = 3;
/** Minimums that are tried where one replica is not enough. */
const mostMinimums = 4;

interface Rehearsed {
  candidate: Candidate;
  documents: readonly ApplyInput[];
  model: WorldModel;
  run: RunResult;
}

/**
 * Says whether a load is worth scaling to zero, and how many replicas to keep for how long. Every candidate is rehearsed on the
 * whole trace; the cheapest that keeps the on-time share is chosen, and rehearsed once more on each part of the trace by
 * itself to see how much the parts differ.
 *
 * @throws TraceError for a trace that cannot be read, Error where a run fails, and the reason of `signal`.
 */
export async function advise(options: AdviseOptions): Promise<Advice> {
  const { trace: given, seed, classes = [], signal } = options;
  const source = 'trace' in given ? given.trace : await readTrace(given.input, { seed, ...given.options });
  const packed = await packTrace(source);
  packed.about.spanUs = Math.max(packed.about.spanUs, (given.spanMs ?? 0) * 1000);
  const pool = new WorkerPool(options.threads ?? availableParallelism());
  const abort = () => void pool.close(reasonOf(signal));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted) throw reasonOf(signal);
    const rehearsals = new Rehearsals(options, pool);
    if (classes.length < 2) return (await study(options, packed, rehearsals)).advice;
    return await adviseOnClasses(options, classes, (world) => study({ ...options, ...world }, packed, rehearsals));
  } finally {
    signal?.removeEventListener('abort', abort);
    await pool.close();
  }
}

/** The advice for one world, and what the choice between several rests on. */
async function study(
  options: AdviseOptions & Partial<ClassWorld>,
  packed: PackedTrace,
  rehearsals: Rehearsals,
): Promise<Study> {
  const { model, seed, base, present: own, presentModel = model } = options;
  const trace = unpackTrace(packed);
  const { ms: coldStartMs } = meanColdStart(model);
  const service = () => serviceTime(model.service, new Draws(seed).fork('service'));
  const facts = await loadFacts(trace, service(), [coldStartMs, 30_000, 60_000, 180_000, fiveMinutesMs]);
  const serviceUs = service();
  const requests = await requestsOf(trace, (tokens, index) => serviceUs(index, tokens));
  const peak = staticPeak(requests, { ...model, slowdown: fullSlowdown(model) });
  if (peak === null) throw new Error('no constant count of replicas keeps the on-time share');

  const settings = { ...base.settings, maxReplicas: Math.max(base.settings.maxReplicas, peak) };
  const known = new Map<string, Rehearsed>();
  const rehearse = async (
    policy: string,
    minReplicas: number | null,
    keepAliveMs: number | null,
    documents?: readonly ApplyInput[],
  ) => {
    const world = documents ? presentModel : model;
    const before = known.get(policy);
    if (before) return before;
    const made = documents ?? policyDocuments(policy, base.workload, settings);
    const run = await rehearsals.run(packed, policy, made, world);
    const candidate = candidateOf(run, model.onTimeShare, minReplicas, keepAliveMs);
    const found = { candidate, documents: made, model: world, run };
    known.set(policy, found);
    return found;
  };
  const kept = (ms: number, min: number) =>
    rehearse(`keepalive:${formatDuration(ms)}${min > 0 ? `,min${min}` : ''}`, min, ms);
  const shortMs = Math.min(longestKeptMs, Math.max(1000, rounded(coldStartMs)));
  const [always, short, present] = await Promise.all([
    rehearse(`always-on:${peak}`, peak, null),
    kept(shortMs, 0),
    own ? rehearse('ebb', null, null, own) : null,
    kept(fiveMinutesMs, 0),
    kept(shortMs, 1),
    kept(fiveMinutesMs, 1),
  ]);
  const { coldStarts, late } = short.candidate;
  const latePerColdStart = coldStarts === 0 ? 0 : late / coldStarts;
  // Lateness is priced as in the reference score: two cold starts of a replica a late request.
  const breakEvenMs = Math.min(longestKeptMs, rounded(coldStartMs * (1 + 2 * latePerColdStart)));
  await Promise.all([kept(breakEvenMs, 0), kept(breakEvenMs, 1)]);
  const longMs = Math.max(fiveMinutesMs, breakEvenMs);
  for (let min = 2, tried = 0; min < peak && tried < mostMinimums && !someQualifies(known, always); min *= 2, tried++) {
    await kept(longMs, min);
  }

  // Not in the order in which they came back: that is the machine's affair.
  const all = [...known.values()].sort(
    ({ candidate: a }, { candidate: b }) =>
      (a.minReplicas ?? -1) - (b.minReplicas ?? -1) ||
      (a.keepAliveMs ?? Number.MAX_SAFE_INTEGER) - (b.keepAliveMs ?? Number.MAX_SAFE_INTEGER),
  );
  const { chosen, whyNotZero, zero } = choose(all, always, present, facts, coldStartMs);
  const isPresent = chosen === present;
  const blocks = blocksOf(facts.spanMs);
  const isLong = blocks.count >= fewestBlocks;
  const parts = isLong
    ? await Promise.all(
        Array.from({ length: blocks.count }, (_, index) => {
          const part = partOf(packed, index * blocks.ms * 1000, (index + 1) * blocks.ms * 1000, `part ${index + 1}`);
          return part.requests === 0
            ? null
            : rehearsals.run(part, chosen.candidate.policy, chosen.documents, chosen.model);
        }),
      )
    : [];
  const costs = new Map(all.map((each) => [each, costBlocks(each, blocks)]));
  const costOf = (one: Rehearsed) => costs.get(one) ?? [];
  const months = 730 * 3_600_000;
  const saves = (from: Rehearsed): Sure => {
    const sums = costOf(from).map((cost, index) => cost - (costOf(chosen)[index] ?? 0));
    const monthly = (total: number, count: number) => (total * months) / ((facts.spanMs * count) / blocks.count);
    const figure = (picked: readonly number[]) =>
      monthly(
        picked.reduce((sum, index) => sum + (sums[index] ?? 0), 0),
        picked.length,
      );
    const every = sums.map((_, index) => index);
    return { value: figure(every), spread: isLong ? bootstrap(blocks.count, seed, figure) : null };
  };
  const lateOf = (picked: readonly number[]) => {
    const runs = picked.map((index) => parts[index] ?? null).filter((run) => run !== null);
    const total = runs.reduce((sum, run) => sum + run.requests, 0);
    return total === 0 ? 0 : runs.reduce((sum, run) => sum + run.requests - run.onTime, 0) / total;
  };
  const rivals = all.filter(({ candidate }) => candidate.qualifies);
  const confidence = isLong
    ? resampled(blocks.count, seed, (picked) => {
        const sumOf = (one: Rehearsed) => picked.reduce((sum, index) => sum + (costOf(one)[index] ?? 0), 0);
        const least = rivals.reduce((cheapest, one) => Math.min(cheapest, sumOf(one)), Number.POSITIVE_INFINITY);
        return lateOf(picked) <= 1 - model.onTimeShare + 1e-9 && sumOf(chosen) <= least * (1 + leastGain) ? 1 : 0;
      }).reduce<number>((sum, held, _index, { length }) => sum + held / length, 0)
    : null;
  const advice: Advice = {
    trace: trace.name,
    description: trace.description,
    model,
    coldStartMs,
    facts,
    staticPeak: peak,
    breakEvenMs,
    latePerColdStart,
    candidates: all.map(({ candidate }) => candidate),
    chosen: chosen.candidate,
    alwaysOn: always.candidate,
    present: present?.candidate ?? null,
    verdict: verdictOf(chosen, always),
    whyNotZero,
    zero: zero?.candidate ?? null,
    unit: all.every(({ run }) => run.costMicro !== null) ? 'micro' : 'hours',
    savesAgainstAlwaysOn: saves(always),
    savesAgainstPresent: present ? saves(present) : null,
    lateShare: {
      value: 1 - chosen.candidate.onTimeShare,
      spread: isLong ? bootstrap(blocks.count, seed, lateOf) : null,
    },
    blocks,
    confidence,
    scaling: isPresent ? null : scalingOf(chosen.documents),
    classes: null,
  };
  return {
    advice,
    seconds: secondBlocks(chosen, blocks),
    late: isLong ? parts.map((run) => (run ? run.requests - run.onTime : 0)) : [],
    requests: isLong ? parts.map((run) => run?.requests ?? 0) : [],
    presentMicro: present && present.run.costMicro !== null ? costBlocks(present, blocks) : null,
  };
}

function candidateOf(run: RunResult, share: number, minReplicas: number | null, keepAliveMs: number | null): Candidate {
  const { policy, requests, onTime, waitMs, coldStarts, mostReplicas, replicaSeconds, costMicro, currency, spanMs } =
    run;
  const months = (730 * 3_600_000) / Math.max(1, spanMs);
  const late = requests - onTime;
  return {
    policy,
    title: titleOf(minReplicas, keepAliveMs),
    minReplicas,
    keepAliveMs,
    qualifies: late <= requests * (1 - share) + 1e-9,
    requests,
    late,
    onTimeShare: requests === 0 ? 1 : onTime / requests,
    waitMs,
    coldStarts,
    mostReplicas,
    replicaSeconds,
    replicaHoursAMonth: (replicaSeconds / 3600) * months,
    microAMonth: costMicro === null ? null : Number(costMicro) * months,
    currency,
  };
}

function titleOf(minReplicas: number | null, keepAliveMs: number | null): string {
  if (minReplicas === null) return 'the documents as they are';
  if (keepAliveMs === null) return `always ${minReplicas}`;
  const kept = `kept ${formatDuration(keepAliveMs)}`;
  return minReplicas === 0 ? `to zero, ${kept}` : `never fewer than ${minReplicas}, others ${kept}`;
}

const costOf = ({ run }: Rehearsed) => (run.costMicro === null ? run.replicaSeconds : Number(run.costMicro));
const goesToZero = ({ candidate, run }: Rehearsed) =>
  candidate.minReplicas === 0 || (candidate.minReplicas === null && run.curves.billed.some((count) => count === 0));

function someQualifies(known: ReadonlyMap<string, Rehearsed>, always: Rehearsed): boolean {
  return [...known.values()].some((one) => one !== always && one.candidate.qualifies);
}

function choose(
  all: readonly Rehearsed[],
  always: Rehearsed,
  present: Rehearsed | null,
  { gaps, idleShare, idleShareLonger }: LoadFacts,
  coldStartMs: number,
): { chosen: Rehearsed; whyNotZero: WhyNotZero | null; zero: Rehearsed | null } {
  const byCost = [...all].sort((a, b) => costOf(a) - costOf(b));
  const keepers = byCost.filter(({ candidate }) => candidate.qualifies);
  const stay = keepers.find((one) => !goesToZero(one)) ?? always;
  const leastLate = byCost.filter(goesToZero).sort((a, b) => a.candidate.late - b.candidate.late)[0];
  const zero = keepers.find(goesToZero) ?? leastLate ?? null;
  const isZeroWorth = zero !== null && zero.candidate.qualifies && costOf(zero) < costOf(stay) * (1 - leastGain);
  const best = isZeroWorth ? zero : stay;
  // What is there is kept where nothing is clearly cheaper.
  const isPresentGood = present?.candidate.qualifies === true && costOf(present) <= costOf(best) * (1 + leastGain / 2);
  const chosen = isPresentGood && goesToZero(present) === goesToZero(best) ? present : best;
  if (isZeroWorth) return { chosen, whyNotZero: null, zero };
  const saved = zero ? 1 - costOf(zero) / costOf(stay) : 0;
  const inLong = idleShareLonger[0]?.share ?? 0;
  const why: WhyNotZero =
    idleShare < noIdleShare
      ? 'no-gaps'
      : zero && !zero.candidate.qualifies && saved >= leastGain && inLong >= leastGain
        ? 'too-late'
        : gaps.p50Ms < coldStartMs
          ? 'short-gaps'
          : 'no-gain';
  return { chosen, whyNotZero: why, zero };
}

function verdictOf(chosen: Rehearsed, always: Rehearsed): AdviceVerdict {
  if (goesToZero(chosen)) return 'scale-to-zero';
  return chosen === always ? 'always-on' : 'keep-some';
}

/** Replica-seconds by block. */
function secondBlocks({ run }: Rehearsed, blocks: Advice['blocks']): number[] {
  return blockSums(run.curves.billed, run.curves.bucketMs, blocks.ms, blocks.count);
}

/** Cost by block: money where it is known, else replica-hours. */
function costBlocks(one: Rehearsed, blocks: Advice['blocks']): number[] {
  const { run } = one;
  const seconds = secondBlocks(one, blocks);
  const total = seconds.reduce((sum, each) => sum + each, 0);
  const whole = run.costMicro === null ? run.replicaSeconds / 3600 : Number(run.costMicro);
  return seconds.map((each) => (total > 0 ? (each / total) * whole : 0));
}

function scalingOf(documents: readonly ApplyInput[]): Record<string, unknown> | null {
  const workload = documents.find(({ kind }) => kind === 'Workload');
  const scaling = valueAt(workload?.document, ['spec', 'scaling']);
  return typeof scaling === 'object' && scaling !== null ? { ...scaling } : null;
}

/** To two digits of a unit that reads well, upwards. */
function rounded(ms: number): number {
  const step = ms < 120_000 ? 5000 : ms < 600_000 ? 30_000 : 60_000;
  return Math.ceil(ms / step - 1e-9) * step;
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error(`it was ended: ${String(reason ?? 'no reason given')}`);
}
