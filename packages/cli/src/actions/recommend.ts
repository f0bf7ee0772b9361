import type { WorkloadRecommendation } from '@ebb/client';
import type { RecommendFlags } from '../commands/recommend.ts';
import type { EbbContext } from '../context.ts';
import { findKind } from '../kinds.ts';
import { type PricedRecommendation, withMachines } from '../recommend/askMachines.ts';
import { recommendationLines } from '../recommend/render.ts';
import { openSession, type Session } from '../session.ts';
import { notFound } from './delete.ts';

export async function recommend(context: EbbContext, flags: RecommendFlags, name?: string): Promise<undefined> {
  const session = await openSession(context, flags);
  const namespace = flags.namespace ?? 'default';
  if (name === undefined) {
    const all = await withMachines(context, session, flags, await everyRecommendation(session, namespace));
    if (flags.json) context.json({ items: all });
    else if (all.length === 0) context.out(`there are no workloads in namespace ${namespace}`);
    else context.out(...all.flatMap((one, index) => [...(index > 0 ? [''] : []), ...linesOf(context, one)]));
    return;
  }
  const one = await session.client.recommendation(name, { namespace });
  if (!one) throw await notFound(session, { kind: findKind('workload'), name, namespace });
  const [priced] = await withMachines(context, session, flags, [one]);
  if (!priced) throw await notFound(session, { kind: findKind('workload'), name, namespace });
  if (flags.json) context.json(priced);
  else context.out(...linesOf(context, priced));
}

/** One after the other: a workload deleted meanwhile is left out. */
async function everyRecommendation({ client }: Session, namespace: string): Promise<WorkloadRecommendation[]> {
  const found: WorkloadRecommendation[] = [];
  for (const { metadata } of await client.list('workloads', { namespace })) {
    const one = await client.recommendation(metadata.name, { namespace });
    if (one) found.push(one);
  }
  return found;
}

function linesOf({ colors, stdout }: EbbContext, recommendation: PricedRecommendation): string[] {
  return recommendationLines(recommendation, colors, stdout.isTTY ? (stdout.columns ?? 80) : 120);
}
