import { parseDuration } from '@ebb/documents';
import type { HandedKind, HandOver, HandOverOptions } from '@ebb/kubernetes';
import type { HandOverFlags } from '../commands/handOver.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { leaseOf, withCluster } from '../kubernetes/withCluster.ts';

type Move = (options: HandOverOptions, how: { write: boolean }) => Promise<HandOver>;

const kinds: Readonly<Record<string, HandedKind>> = {
  scaledobject: 'ScaledObject',
  scaledobjects: 'ScaledObject',
  so: 'ScaledObject',
  scaledjob: 'ScaledJob',
  scaledjobs: 'ScaledJob',
  sj: 'ScaledJob',
  hpa: 'HorizontalPodAutoscaler',
  horizontalpodautoscaler: 'HorizontalPodAutoscaler',
  horizontalpodautoscalers: 'HorizontalPodAutoscaler',
};

export async function takeOver(context: EbbContext, flags: HandOverFlags, object: string): Promise<ExitName> {
  const kubernetes = await import('@ebb/kubernetes');
  return move(context, flags, object, kubernetes.takeOver);
}

export async function giveBack(context: EbbContext, flags: HandOverFlags, object: string): Promise<ExitName> {
  const kubernetes = await import('@ebb/kubernetes');
  return move(context, flags, object, kubernetes.giveBack);
}

async function move(context: EbbContext, flags: HandOverFlags, object: string, act: Move): Promise<ExitName> {
  const { kind, name } = objectOf(object);
  const lease = leaseOf(flags.lease);
  const waitMs = waitOf(flags.wait);
  if (flags.yes && flags.dryRun) throw new Failure('usage', '--yes does it and --dry-run only shows it: write one');
  const write = flags.yes ?? false;
  const { HandOverRefused } = await import('@ebb/kubernetes');
  const done = await withCluster(flags.kubeconfig, async (client, cluster) => {
    const namespace = flags.namespace ?? cluster.namespace ?? 'default';
    const more = waitMs === null ? {} : { waitMs };
    return act({ client, kind, namespace, name, lease, ...more }, { write }).catch((error: unknown) => {
      if (!(error instanceof HandOverRefused)) throw error;
      const rest = error.changed ? '' : '; nothing was changed';
      throw new Failure('failed', `${error.message}${rest}.`, [...error.hints], { cause: error });
    });
  });
  if (flags.json) {
    context.json({ ...done, written: write });
    return 'ok';
  }
  const { bold, dim, green } = context.colors;
  context.out(bold(`${done.kind} ${done.namespace}/${done.name} (${done.target})`));
  for (const { what, state } of done.steps) {
    const mark = state === 'done' ? green(context.glyphs.check) : '-';
    context.out(`${mark} ${what}`);
  }
  const isOpen = done.steps.some(({ state }) => state === 'to do');
  if (isOpen) context.out(dim('Nothing was changed; --yes does it.'));
  return 'ok';
}

function objectOf(written: string): { kind: HandedKind | null; name: string } {
  const [first = '', second, ...rest] = written.split('/');
  if (second === undefined) return { kind: null, name: checkedName(first) };
  const kind = Object.hasOwn(kinds, first.toLowerCase()) ? kinds[first.toLowerCase()] : undefined;
  if (!kind || rest.length > 0) {
    throw new Failure('usage', `"${written}" is no object that can be handed over.`, [
      'write scaledobject/NAME, scaledjob/NAME, hpa/NAME, or NAME alone',
    ]);
  }
  return { kind, name: checkedName(second) };
}

function checkedName(name: string): string {
  if (/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name)) return name;
  throw new Failure('usage', `"${name}" is not a name; write lower-case letters, digits, dots and dashes`);
}

function waitOf(written: string | undefined): number | null {
  if (written === undefined) return null;
  const parsed = parseDuration(written);
  if ('error' in parsed) throw new Failure('usage', `--wait: ${parsed.error}.`);
  return parsed.value;
}
