import type { KubernetesClient, OpenedCluster } from '@ebb/kubernetes';
import { Failure, messageOf } from '../failure.ts';
import { systemClock } from '../nodes/systemClock.ts';

/** Does something with a client of the cluster that the flags name, and says in our words what the API server refuses. */
export async function withCluster<Result>(
  kubeconfig: string | undefined,
  work: (client: KubernetesClient, cluster: OpenedCluster) => Promise<Result>,
): Promise<Result> {
  const { KubernetesClient: Client, openCluster } = await import('@ebb/kubernetes');
  const cluster = await openCluster({ path: kubeconfig ?? null }).catch((error: unknown) => {
    throw new Failure('failed', `no cluster can be opened: ${messageOf(error)}`, ['name one with --kubeconfig FILE']);
  });
  const random = { next: () => Math.random() };
  try {
    return await work(new Client({ transport: cluster.transport, clock: systemClock, random }), cluster);
  } catch (error) {
    throw toFailure(error, cluster.server);
  } finally {
    cluster.transport.close();
  }
}

/** `NAMESPACE/NAME` of a lease. */
export function leaseOf(written: string | undefined): { namespace: string; name: string } {
  if (written === undefined) return { namespace: 'ebb-system', name: 'ebb' };
  const [namespace = '', name = '', ...rest] = written.split('/');
  if (namespace === '' || name === '' || rest.length > 0) {
    throw new Failure('usage', `--lease is a namespace and a name such as ebb-system/ebb, not "${written}"`);
  }
  return { namespace, name };
}

function toFailure(error: unknown, server: string): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'UnreachableError') {
    return new Failure('unreachable', `${server} does not answer: ${error.message}`, [], { cause: error });
  }
  if (error.name !== 'ApiServerError') return error;
  const isForbidden = 'status' in error && error.status === 403;
  const hints = isForbidden ? ['the user of the kubeconfig needs that right'] : [];
  return new Failure('failed', error.message, hints, { cause: error });
}
