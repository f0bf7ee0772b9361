import type { ReplayFlags } from '../commands/replay.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import type { JournalSource } from '../journal/journalSource.ts';
import { workloadKey } from '../journal/keys.ts';
import { openJournal } from '../journal/openJournal.ts';
import { comparePolicies } from '../replay/compare.ts';
import { type NamedPolicy, readPolicies } from '../replay/policies.ts';
import { type Progress, progressLine } from '../replay/progress.ts';
import { comparisonJson, comparisonLines, verificationLines } from '../replay/render.ts';
import { type Span, verify } from '../replay/verify.ts';
import { parseMoment } from '../timeArgument.ts';
import { cliVersion } from '../version.ts';

const hourMs = 3_600_000;

export async function replay(context: EbbContext, flags: ReplayFlags, ...names: string[]): Promise<ExitName> {
  const nowMs = Date.now();
  const whole = flags.journal === undefined ? nowMs - hourMs : 0;
  const span: Span = {
    sinceMs: flags.since === undefined ? whole : parseMoment(flags.since, nowMs),
    untilMs: flags.until === undefined ? Number.POSITIVE_INFINITY : Math.min(nowMs, parseMoment(flags.until, nowMs)),
  };
  if (span.sinceMs >= span.untilMs) throw new Failure('usage', '--until is not after --since.');
  const workloads = [...new Set(names.map((name) => workloadKey(name, flags.namespace)))];
  const policies =
    flags.policy === undefined ? null : await readPolicies(context, flags.policy, workloads, flags.json ?? false);
  const source = await openJournal(context, flags);
  const progress = progressLine(context);
  try {
    return policies
      ? await compareAll(context, flags, source, policies, span, progress)
      : await verifyAll(context, flags, source, workloads, span, progress);
  } finally {
    progress.end();
    await source.close();
  }
}

async function verifyAll(
  context: EbbContext,
  flags: ReplayFlags,
  source: JournalSource,
  workloads: readonly string[],
  span: Span,
  progress: Progress,
): Promise<ExitName> {
  const result = await verify(source, workloads, span, progress);
  progress.end();
  const { machines } = result;
  if (result.decisions + result.unverified + result.failed + machines.decisions === 0)
    throw nothingFound(source, workloads, flags);
  const same = result.differing + result.failed + machines.differing === 0;
  if (flags.json) context.json({ same, ebb: cliVersion, ...result });
  else context.out(...verificationLines(context, result, cliVersion));
  return same ? 'ok' : 'failed';
}

async function compareAll(
  context: EbbContext,
  flags: ReplayFlags,
  source: JournalSource,
  policies: readonly NamedPolicy[],
  span: Span,
  progress: Progress,
): Promise<ExitName> {
  const found: unknown[] = [];
  for (const { workload, currency, policy } of policies) {
    const comparison = await comparePolicies(source, workload, policy, span, progress);
    progress.end();
    if (comparison === null) throw nothingFound(source, [workload], flags);
    if (typeof comparison === 'string') throw new Failure('failed', `${workload}: ${comparison}.`);
    if (flags.json) found.push(comparisonJson(comparison, currency));
    else context.out(...comparisonLines(context, comparison, currency, flags.policy ?? ''), '');
  }
  if (flags.json) context.json({ policy: flags.policy, comparisons: found });
  return 'ok';
}

function nothingFound(source: JournalSource, workloads: readonly string[], flags: ReplayFlags): Failure {
  const of = workloads.length === 0 ? '' : ` of ${workloads.join(', ')}`;
  const when = flags.since === undefined && flags.journal === undefined ? ' in the last hour' : ' in that time';
  return new Failure('failed', `${source.name} has no decisions${of}${when}.`, [
    flags.since === undefined && flags.journal === undefined
      ? '--since 7d goes back further'
      : 'the names are those of `ebb get workloads`; a journal is kept for seven days',
  ]);
}
