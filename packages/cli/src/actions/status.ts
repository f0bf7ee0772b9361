import { keyText, type SystemStatus } from '@ebb/documents';
import type { StatusFlags } from '../commands/status.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Interrupts } from '../interrupts.ts';
import { follow } from '../live/follow.ts';
import { renderLive } from '../live/renderLive.ts';
import { openView } from '../live/view.ts';
import { openSession, type Session } from '../session.ts';

/** A status is good when both helpers are there and no replica has failed. */
export function isHealthy(status: SystemStatus): boolean {
  const replicasFine = status.workloads.every((workload) => workload.replicas.failed === 0);
  return status.gateway.connected && status.agent.connected && replicasFine;
}

export async function status(context: EbbContext, flags: StatusFlags): Promise<ExitName> {
  const session = await openSession(context, flags);
  if (flags.watch) return watch(context, session, flags);
  const now = await session.client.status();
  if (flags.json) context.json(now);
  else context.out(...picture(context, now));
  return isHealthy(now) ? 'ok' : 'failed';
}

function picture({ colors, glyphs, stdout }: EbbContext, now: SystemStatus): string[] {
  const curves = new Map(now.workloads.map((workload) => [keyText(workload), { replicas: [], demand: [] }]));
  const model = { status: now, curves, nowMs: Date.now(), footer: '' };
  const width = stdout.isTTY ? (stdout.columns ?? 80) : 120;
  const lines = renderLive(model, { width, height: Number.POSITIVE_INFINITY, colors, glyphs });
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

async function watch(context: EbbContext, session: Session, flags: StatusFlags): Promise<ExitName> {
  const interrupts = new Interrupts();
  const view = openView(context, 'Ctrl-C ends this view; Ebb goes on', flags.json ?? false);
  try {
    await follow(session.client, view, interrupts.stop);
  } finally {
    view.end(true);
    interrupts.dispose();
  }
  return 'ok';
}
