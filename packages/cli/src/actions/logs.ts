import type { LogLine } from '@ebb/client';
import type { ScaledJobStatus } from '@ebb/documents';
import type { LogsFlags } from '../commands/logs.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { Interrupts } from '../interrupts.ts';
import { findKind } from '../kinds.ts';
import { openSession, type Session } from '../session.ts';
import { didYouMean } from '../suggest.ts';
import { clockText } from '../text/format.ts';
import { withoutControls } from '../text/width.ts';
import { notFound } from './delete.ts';

export async function logs(context: EbbContext, flags: LogsFlags, name: string): Promise<undefined> {
  const session = await openSession(context, flags);
  const namespace = flags.namespace ?? 'default';
  const workload = await session.client.workloadStatus(name, { namespace });
  const jobs = workload ? null : await jobsOf(session, name, namespace);
  if (!workload && !jobs) throw await notFound(session, { kind: findKind('workload'), name, namespace });
  const interrupts = new Interrupts();
  const { follow, tail, json } = flags;
  const replica =
    flags.replica === undefined
      ? undefined
      : fullId(
          flags.replica,
          workload ? workload.replicaList.map(({ id }) => id) : (jobs?.jobList.map(({ id }) => id) ?? []),
        );
  let count = 0;
  try {
    const options = {
      namespace,
      follow: follow ?? false,
      signal: interrupts.stop,
      ...(tail === undefined ? {} : { tail }),
    };
    for await (const line of session.client.logs(name, replica === undefined ? options : { ...options, replica })) {
      count += 1;
      if (json) context.stdout.write(`${JSON.stringify(line)}\n`);
      else context.out(lineText(context, line, name));
    }
  } finally {
    interrupts.dispose();
  }
  if (count > 0 || follow) return;
  const failing = workload?.replicaList.find(({ phase }) => phase === 'failed' || phase === 'backoff');
  const why = failing ? `; its replica ${failing.id}: ${withoutControls(failing.message)}` : '';
  context.note(`${name} has written nothing yet${why}`);
}

/** The ScaledJob of that name, whose Jobs are what writes. */
async function jobsOf(session: Session, name: string, namespace: string): Promise<ScaledJobStatus | null> {
  const found = await session.client.get('scaledjobs', name, { namespace });
  return found?.status && 'jobList' in found.status ? found.status : null;
}

/** The suffix alone is enough: `x7k2p` for `upscaler-x7k2p`. Ids of ended replicas are passed on as they are. */
function fullId(given: string, ids: string[]): string {
  const found = ids.find((id) => id === given) ?? ids.find((id) => id.endsWith(`-${given}`));
  if (found !== undefined) return found;
  if (given.includes('-') && didYouMean(given, ids) === '') return given;
  throw new Failure('failed', `there is no replica "${given}".${didYouMean(given, ids)}`, [
    ids.length > 0 ? `there are: ${ids.join(', ')}` : 'no replica runs now; the full id of an ended one works too',
  ]);
}

function lineText({ colors }: EbbContext, line: LogLine, workload: string): string {
  const replica = line.replica.startsWith(`${workload}-`) ? line.replica.slice(workload.length + 1) : line.replica;
  const paint = line.stream === 'stderr' ? colors.yellow : line.stream === 'ebb' ? colors.cyan : (text: string) => text;
  return `${colors.dim(`${clockText(line.atMs)} ${replica}`)}  ${paint(withoutControls(line.text))}`;
}
