import { lastLines, startControlPlane } from '../controlPlane/start.ts';
import { catalogueFile } from '../instances/file.ts';
import { stopText } from '../controlPlane/stop.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { readyText } from '../live/announce.ts';
import { follow } from '../live/follow.ts';
import { openView, type View } from '../live/view.ts';
import { connectSession } from '../session.ts';
import { addressLines, readyJson, type Run, stopRun } from './run.ts';

/** A control plane that ends more often than this within the time has a fault that starting it again does not mend. */
const mostRestarts = 3;
const restartWindowMs = 60_000;

/** Shows what goes on until Ctrl-C, then ends everything and says what. A control plane that dies is started again. */
export async function stayInFront(run: Run): Promise<ExitName> {
  const { context, flags, interrupts } = run;
  const json = flags.json ?? false;
  const view = openView(context, 'Ctrl-C stops everything; `ebb explain WORKLOAD` says why', json);
  // Before anybody is told where to send requests: what the first one does is shown too.
  const before = await run.session.client.status();
  if (json) context.stdout.write(`${JSON.stringify(readyJson(run))}\n`);
  else view.print(readyText(run.readyMs, run.startMs, run.launch), ...addressLines(run, before), '');
  const following = follow(run.session.client, view, interrupts.stop, before).catch((error: unknown) => {
    if (!interrupts.stop.aborted) view.print(`the live view ended: ${error instanceof Error ? error.message : error}`);
  });
  const stoppedElsewhere = await superviseUntilStopped(run, view).catch((error: unknown) => {
    view.end(true);
    throw error;
  });
  view.end(true);
  if (stoppedElsewhere) {
    await following;
    context.note('Ebb was stopped from elsewhere');
    return 'ok';
  }
  context.note('stopping; Ctrl-C once more kills …');
  const outcome = await stopRun(run);
  if (json) context.stdout.write(`${JSON.stringify({ type: 'stopped', ...outcome })}\n`);
  else context.out(`${stopText(outcome)}; documents stay in ${run.session.dataDirectory}`);
  if (outcome.left.length === 0) return 'ok';
  context.note(`${context.errorColors.red('ebb:')} still running: pid ${outcome.left.join(', ')}`);
  return 'failed';
}

/** Returns at Ctrl-C (false) or when `ebb down` ended Ebb from elsewhere (true). */
async function superviseUntilStopped(run: Run, view: View): Promise<boolean> {
  const interrupted = run.interrupts.stopped().then(() => null);
  let restarts: number[] = [];
  for (;;) {
    const how = await Promise.race([interrupted, run.controlPlane.ended]);
    if (how === null) return false;
    if (how === '0') return true;
    const nowMs = performance.now();
    restarts = [...restarts.filter((atMs) => nowMs - atMs < restartWindowMs), nowMs];
    if (restarts.length > mostRestarts) throw crashed(run, how);
    view.print(`the control plane ended (${how}); replicas and gateway go on, it is started again`);
    await restart(run);
  }
}

async function restart(run: Run): Promise<void> {
  const { apiUrl, gatewayUrl } = run.controlPlane;
  const { dataDirectory } = run.session;
  run.controlPlane = await startControlPlane({
    dataDirectory,
    apiPort: Number(new URL(apiUrl).port),
    gatewayPort: Number(new URL(gatewayUrl).port),
    page: run.flags.page ?? true,
    catalogue: catalogueFile(run.context, run.flags.catalogue),
  });
  run.session = await connectSession(dataDirectory);
}

function crashed({ controlPlane }: Run, how: string): Failure {
  return new Failure(
    'failed',
    `the control plane ended again and again (${how}); replicas and gateway go on without it.`,
    [
      ...lastLines(controlPlane.logFile, 3),
      `its log: ${controlPlane.logFile}`,
      '`ebb up` takes up what still runs, `ebb down` ends it',
    ],
  );
}
