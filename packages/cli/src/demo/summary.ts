import type { CostStatus } from '@ebb/documents';
import type { Launch } from '../launch.ts';
import { durationText, moneyText, savedPercent } from '../text/format.ts';
import type { Answer } from './traffic.ts';

export interface DemoFacts {
  workload: string;
  answers: Answer[];
  /** Of the very first start. Microseconds; null where it was not seen. */
  coldStart: {
    spawnUs: number | null;
    loadUs: number | null;
    readyUs: number | null;
    ebbUs: number | null;
    totalUs: number | null;
  } | null;
  replicaPeak: number;
  peakRatePerHourMicro: number;
  starts: number;
  cost: CostStatus | null;
  backToZero: boolean;
  backToZeroMs: number | null;
  /** Processes of this Ebb that still exist after it was stopped. */
  leftRunning: number[];
  /** Null where the command was not begun by `npm start`. */
  launch: Launch | null;
  /** Since the command began. */
  readyMs: number;
  firstAnswerMs: number | null;
  totalMs: number;
}

export interface DemoSummary {
  ok: boolean;
  workload: string;
  requests: { sent: number; answered: number; failed: number; problems: string[] };
  latencyMs: { first: number | null; median: number | null; slowest: number | null };
  coldStartMs: Record<'spawn' | 'load' | 'ready' | 'ebb' | 'total', number | null> | null;
  replicas: { peak: number; starts: number; backToZero: boolean; backToZeroMs: number | null };
  cost: {
    currency: string;
    usedMicro: string;
    alwaysOnMicro: string;
    savedPercent: number | null;
    replicaSeconds: number;
    alwaysOnReplicaSeconds: number;
    assumption: string;
    /** What an hour at the peak costs, and an hour at zero does not. */
    alwaysOnPerHourMicro: string;
  } | null;
  leftRunning: number[];
  timesMs: { install: number | null; build: number | null; ready: number; firstAnswer: number | null; total: number };
}

const mostProblems = 5;

function whole(milliseconds: number | null | undefined): number | null {
  return milliseconds === null || milliseconds === undefined ? null : Math.round(milliseconds);
}

function fromMicroseconds(us: number | null): number | null {
  return us === null ? null : us / 1000;
}

function ms(value: number | null): string {
  return value === null ? 'unknown' : durationText(value);
}

/** The facts of a demo as one JSON value; `ok` only when nothing failed, all went back to zero and nothing is left. */
export function summarize(facts: DemoFacts): DemoSummary {
  const failed = facts.answers.filter((answer) => answer.problem !== null);
  const right = facts.answers.filter((answer) => answer.problem === null);
  const sorted = right.map((answer) => answer.latencyMs).sort((a, b) => a - b);
  const { cost, coldStart, launch } = facts;
  return {
    ok:
      right.length > 0 &&
      failed.length === 0 &&
      facts.replicaPeak > 0 &&
      facts.backToZero &&
      facts.leftRunning.length === 0,
    workload: facts.workload,
    requests: {
      sent: facts.answers.length,
      answered: right.length,
      failed: failed.length,
      problems: [...new Set(failed.map((answer) => `${answer.picture.name}: ${answer.problem}`))].slice(
        0,
        mostProblems,
      ),
    },
    latencyMs: {
      first: whole(right[0]?.latencyMs),
      median: whole(sorted[Math.floor(sorted.length / 2)]),
      slowest: whole(sorted.at(-1)),
    },
    coldStartMs: coldStart && {
      spawn: fromMicroseconds(coldStart.spawnUs),
      load: fromMicroseconds(coldStart.loadUs),
      ready: fromMicroseconds(coldStart.readyUs),
      ebb: fromMicroseconds(coldStart.ebbUs),
      total: fromMicroseconds(coldStart.totalUs),
    },
    replicas: {
      peak: facts.replicaPeak,
      starts: facts.starts,
      backToZero: facts.backToZero,
      backToZeroMs: whole(facts.backToZeroMs),
    },
    cost: cost && {
      currency: cost.currency,
      usedMicro: cost.soFarMicro,
      alwaysOnMicro: cost.alwaysOnMicro,
      savedPercent: savedPercent(BigInt(cost.soFarMicro), BigInt(cost.alwaysOnMicro)),
      replicaSeconds: cost.replicaSeconds,
      alwaysOnReplicaSeconds: cost.alwaysOnReplicaSeconds,
      assumption: cost.assumption,
      alwaysOnPerHourMicro: String(facts.peakRatePerHourMicro),
    },
    leftRunning: facts.leftRunning,
    timesMs: {
      install: launch?.installMs ?? null,
      build: launch?.buildMs ?? null,
      ready: Math.round(facts.readyMs),
      firstAnswer: whole(facts.firstAnswerMs),
      total: Math.round(facts.totalMs),
    },
  };
}

/** The summary as `label, text` rows for a person; the text of what went wrong is marked. */
export function summaryRows(summary: DemoSummary): { label: string; text: string; bad: boolean }[] {
  const rows: { label: string; text: string; bad: boolean }[] = [];
  const row = (label: string, text: string, bad = false) => rows.push({ label, text, bad });
  const { requests, latencyMs, coldStartMs, replicas, cost, timesMs } = summary;
  const failed = `failed ${requests.failed}`;
  row('requests', `${requests.sent} sent, ${requests.answered} answered and checked, ${failed}`, requests.failed > 0);
  for (const problem of requests.problems) row('', problem, true);
  row(
    'answers',
    `first ${ms(latencyMs.first)} from zero, median ${ms(latencyMs.median)}, slowest ${ms(latencyMs.slowest)}`,
  );
  if (coldStartMs) {
    row(
      'cold start',
      `spawn ${ms(coldStartMs.spawn)} → load ${ms(coldStartMs.load)} → ready ${ms(coldStartMs.ready)}; ` +
        `${ms(coldStartMs.total)} (Ebb ${ms(coldStartMs.ebb)})`,
    );
  }
  row(
    'replicas',
    `0 → 1 → ${replicas.peak} → ${replicas.backToZero ? 0 : '?'}` +
      (replicas.backToZero
        ? `, at zero ${ms(replicas.backToZeroMs)} after the last answer`
        : ', did not go back to zero in time'),
    !replicas.backToZero,
  );
  if (cost) {
    const saved = cost.savedPercent === null ? '' : ` (${cost.savedPercent}% less)`;
    row(
      'used',
      `${cost.replicaSeconds.toFixed(1)} replica-seconds, always on ${cost.alwaysOnReplicaSeconds.toFixed(1)}${saved}`,
    );
    const money = (micro: string) => moneyText(micro, cost.currency);
    row('money', `${money(cost.usedMicro)}, always on ${money(cost.alwaysOnMicro)}`);
    row('from now on', `${money('0')}/h until the next request, always on ${money(cost.alwaysOnPerHourMicro)}/h`);
    if (cost.assumption !== '') row('', cost.assumption);
  }
  const parts = timesMs.install === null ? '' : ` (install ${ms(timesMs.install)}, build ${ms(timesMs.build)})`;
  row('ready', `${ms(timesMs.ready)} after the command began${parts}`);
  row('first answer', `${ms(timesMs.firstAnswer)} after the command began`, timesMs.firstAnswer === null);
  const left = summary.leftRunning;
  row('left', left.length === 0 ? 'nothing is running' : `still running: pid ${left.join(', ')}`, left.length > 0);
  return rows;
}
