import type { Comparison } from '@ebb/kubernetes';
import type { AdviceFlags } from '../commands/kubernetesAdvice.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { adviceLines } from '../kubernetes/renderAdvice.ts';
import { leaseOf, withCluster } from '../kubernetes/withCluster.ts';

export async function kubernetesAdvice(context: EbbContext, flags: AdviceFlags, name?: string): Promise<ExitName> {
  const lease = leaseOf(flags.lease);
  const { readAdvice } = await import('@ebb/kubernetes');
  const found = await withCluster(flags.kubeconfig, (client) => readAdvice(client, lease, Date.now()));
  if (!found) {
    throw new Failure('failed', `no operator in advice has written ${lease.namespace}/${lease.name}-advice.`, [
      'start one with ebb operator --advice, or name its lease with --lease NAMESPACE/NAME',
    ]);
  }
  const isAsked = (one: Comparison) =>
    (flags.namespace === undefined || one.namespace === flags.namespace) && (name === undefined || one.name === name);
  const comparisons = found.comparisons.filter(isAsked);
  if (name !== undefined && comparisons.length === 0) {
    throw new Failure('failed', `nothing is advised on "${name}".`, ['ebb kubernetes advice shows what is']);
  }
  if (flags.json) context.json({ ...found, comparisons });
  else context.out(...adviceLines(context, { ...found, comparisons }, name !== undefined));
  return 'ok';
}
