import { ApiServerError, InstallRefusal, InstallServer, openCluster, type Waiting } from '@ebb/kubernetes';
import type { ClusterFlags } from '../commands/kubernetesInstall.ts';
import { Failure, messageOf } from '../failure.ts';

export const waiting: Waiting = {
  nowMs: () => performance.now(),
  pause: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

export const defaultTimeoutMs = 300_000;

/** Does something in a cluster, and tells what is refused as a `Failure`. */
export async function inCluster<Value>(
  { kubeconfig, context }: ClusterFlags,
  work: (server: InstallServer, url: string) => Promise<Value>,
): Promise<Value> {
  const opened = await openCluster({ path: kubeconfig ?? null, context: context ?? null }).catch((error: unknown) => {
    throw new Failure('usage', `no cluster: ${messageOf(error)}`, ['--kubeconfig FILE or $KUBECONFIG says which one']);
  });
  try {
    return await work(new InstallServer(opened.transport), opened.server);
  } catch (error) {
    throw toFailure(error, opened.server);
  } finally {
    opened.transport.close();
  }
}

function toFailure(error: unknown, server: string): unknown {
  if (error instanceof InstallRefusal)
    return new Failure('failed', error.message, [...error.details], { cause: error });
  if (error instanceof ApiServerError) {
    return new Failure('failed', `the API server refuses: ${error.message}`, [], { cause: error });
  }
  if (error instanceof Error && error.name === 'UnreachableError') {
    return new Failure('unreachable', `${server} does not answer: ${error.message}`, [
      'is the cluster there, and the context the right one?',
    ]);
  }
  return error;
}
