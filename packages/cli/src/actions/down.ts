import { NotRunningError, readControlFile } from '@ebb/client';
import type { DownFlags } from '../commands/down.ts';
import type { EbbContext } from '../context.ts';
import { startControlPlane } from '../controlPlane/start.ts';
import { stopEbb, stopText } from '../controlPlane/stop.ts';
import type { ExitName } from '../exitCodes.ts';
import { openSession, type Session } from '../session.ts';

export async function down(context: EbbContext, flags: DownFlags): Promise<ExitName> {
  const session = await openOrRevive(context, flags);
  const outcome = await stopEbb(
    {
      controlPlanePid: session.control.pid,
      shutdown: () => session.client.shutdown(),
      status: () => session.client.status(),
    },
    (line) => context.note(line),
  );
  const { dataDirectory } = session;
  if (flags.json) context.json({ ...outcome, dataDirectory });
  else context.out(`${stopText(outcome)}; documents stay in ${dataDirectory}`);
  if (outcome.left.length === 0) return 'ok';
  context.note(`${context.errorColors.red('ebb:')} still running: pid ${outcome.left.join(', ')}`);
  return 'failed';
}

/** A control plane that died left gateway, agent and replicas behind: only a new one knows them and can end them. */
async function openOrRevive(context: EbbContext, flags: DownFlags): Promise<Session> {
  try {
    return await openSession(context, flags);
  } catch (error) {
    if (!(error instanceof NotRunningError && error.reason === 'crashed')) throw error;
    const control = await readControlFile(error.dataDirectory);
    if (!control) throw error;
    context.note('the control plane had died; starting it to end what it left');
    const { child } = await startControlPlane({
      dataDirectory: error.dataDirectory,
      apiPort: 0,
      gatewayPort: Number(new URL(control.gatewayUrl).port),
      page: false,
      catalogue: null,
    });
    child.unref();
    child.stdout?.destroy();
    return openSession(context, flags);
  }
}
