import type { SystemStatus } from '@ebb/documents';
import type { UpFlags } from '../commands/up.ts';
import type { EbbContext } from '../context.ts';
import type { ControlPlane } from '../controlPlane/start.ts';
import { forceStop, stopEbb, type StopOutcome } from '../controlPlane/stop.ts';
import type { PictureFolders } from '../demo/pictures.ts';
import type { Interrupts } from '../interrupts.ts';
import type { Launch } from '../launch.ts';
import { announce } from '../live/announce.ts';
import { requestText } from '../live/requestText.ts';
import type { Session } from '../session.ts';

/** Everything of one `ebb up` that its phases share. */
export interface Run {
  context: EbbContext;
  flags: UpFlags;
  pictures: PictureFolders;
  /** Replaced, with the session, when the control plane had to be started again. */
  controlPlane: ControlPlane;
  session: Session;
  interrupts: Interrupts;
  launch: Launch | null;
  /** Wall-clock moment at which the command began: of `npm start`, where that began it. */
  beganAtMs: number;
  /** From there until documents were applied and requests are taken. */
  readyMs: number;
  /** The same without installing and building. */
  startMs: number;
}

/** Where to look and where to send. The token goes to a terminal only: other output may be kept in a log. */
export function addressLines(
  { context, session, pictures, controlPlane, flags }: Run,
  { workloads }: SystemStatus,
): string[] {
  const { gatewayUrl, apiUrl } = controlPlane;
  const page = context.stdout.isTTY ? session.client.pageUrl : `${apiUrl}/`;
  return announce(
    { pageUrl: flags.page === false ? null : page, gatewayUrl, dataDirectory: session.dataDirectory },
    workloads,
    (workload) => requestText(workload, pictures, context.workingDirectory),
    context.colors,
  );
}

export function readyJson({ controlPlane, session, startMs, readyMs }: Run) {
  const { apiUrl, gatewayUrl, pid } = controlPlane;
  return { type: 'ready', apiUrl, gatewayUrl, pid, dataDirectory: session.dataDirectory, startMs, readyMs };
}

/** Ends everything that runs; a second Ctrl-C meanwhile kills it. */
export async function stopRun({ context, controlPlane, session, interrupts }: Run): Promise<StopOutcome> {
  const status = await session.client.status().catch(() => null);
  interrupts.onHurry(() => {
    const killed = forceStop(controlPlane.pid, status);
    context.note(`killed pid ${killed.join(', ')}`);
  });
  return stopEbb(
    {
      controlPlanePid: controlPlane.pid,
      shutdown: () => session.client.shutdown(),
      status: () => session.client.status(),
    },
    (line) => context.note(line),
  );
}
