import type { EbbContext } from '../context.ts';
import { isRunning } from '../controlPlane/processes.ts';
import type { ExitName } from '../exitCodes.ts';
import { readyText } from '../live/announce.ts';
import { follow } from '../live/follow.ts';
import { openLines, openView } from '../live/view.ts';
import { padEnd, wrap } from '../text/width.ts';
import { addressLines, type Run, stopRun } from '../up/run.ts';
import { Observer } from './observer.ts';
import type { DemoPlan } from './prepare.ts';
import { Scene } from './scene.ts';
import { type DemoSummary, summarize, summaryRows } from './summary.ts';

/** Sends real traffic through 0 → 1 → N → 0, sums it up, and ends everything. `ok` only when all of it went right. */
export async function runDemo(run: Run, demo: DemoPlan): Promise<ExitName> {
  const { context, flags, session, interrupts } = run;
  const json = flags.json ?? false;
  const view = json
    ? openLines(context, (...lines) => context.note(...lines))
    : openView(context, 'a demo: it ends by itself, Ctrl-C ends it now', false);
  const observer = new Observer(demo.workload, view);
  const scene = new Scene(run, demo, view, observer);
  const [page = '', gateway = ''] = addressLines(run, await session.client.status());
  view.print(context.colors.bold(readyText(run.readyMs, run.startMs, run.launch)), page, gateway);
  const ended = new AbortController();
  const stopFollowing = AbortSignal.any([interrupts.stop, ended.signal]);
  const following = follow(session.client, observer, stopFollowing).catch((error: unknown) => {
    if (!stopFollowing.aborted) view.print(`the watch stream ended: ${error instanceof Error ? error.message : error}`);
  });
  let backToZeroMs: number | null = null;
  try {
    await scene.firstPicture();
    await scene.burst();
    backToZeroMs = await scene.backToZero();
  } catch (error) {
    view.end(true);
    await stopRun(run);
    throw error;
  }
  view.end(false);
  // Taken now: while Ebb stops the clock of always-on goes on.
  const { cost, starts } = observer;
  const stopped = await stopRun(run);
  ended.abort();
  await following;
  if (interrupts.stop.aborted) {
    context.note('interrupted; everything was stopped');
    return 'interrupted';
  }
  const left = [...new Set([...stopped.left, ...observer.pids.filter(isRunning)])];
  const now = Date.now();
  const summary = summarize({
    workload: demo.workload,
    answers: scene.answers,
    coldStart: observer.firstStart,
    replicaPeak: observer.replicaPeak,
    peakRatePerHourMicro: observer.peakRatePerHourMicro,
    starts,
    cost,
    backToZero: backToZeroMs !== null,
    backToZeroMs,
    leftRunning: left,
    launch: run.launch,
    readyMs: run.readyMs,
    firstAnswerMs: scene.firstAnswerAtMs === null ? null : scene.firstAnswerAtMs - run.beganAtMs,
    totalMs: now - run.beganAtMs,
  });
  if (json) {
    context.json(summary);
  } else {
    context.out('', ...summaryLines(context, summary));
  }
  return summary.ok ? 'ok' : 'failed';
}

function summaryLines({ colors, stdout }: EbbContext, summary: DemoSummary): string[] {
  const rows = summaryRows(summary);
  const labelWidth = Math.max(...rows.map(({ label }) => label.length));
  const textWidth = Math.max(40, (stdout.isTTY ? (stdout.columns ?? 80) : 120) - labelWidth - 4);
  const lines = rows.flatMap(({ label, text, bad }) =>
    wrap(text, textWidth).map((line, index) => {
      const head = colors.dim(padEnd(index === 0 ? label : '', labelWidth));
      return `  ${head}  ${bad ? colors.red(line) : line}`;
    }),
  );
  const title = summary.ok ? colors.green('The demo went right.') : colors.red('The demo did not go right.');
  return [colors.bold(title), ...lines];
}
