import type { RequestOptions } from 'node:https';
import { isPlainAccess, plainCredentials } from './credentials.ts';
import { type ClusterAccess, readAccess, type Surroundings } from './kubeConfigFiles.ts';
import { httpTransport, type Transport } from './transport.ts';

export interface KubeConfigOptions {
  /** A kubeconfig; null: those of `KUBECONFIG`, `~/.kube/config`, or the service account of the pod. */
  readonly path: string | null;
  /** A context of it; left out or null: the one that is current. */
  readonly context?: string | null;
  /** Left out: those of this process. */
  readonly surroundings?: Surroundings;
}

export interface OpenedCluster {
  readonly transport: Transport;
  readonly server: string;
  /** Namespace of the context or of the pod; null: it names none. */
  readonly namespace: string | null;
}

/**
 * Connects as a kubeconfig says, or as the pod that this runs in: certificates, tokens (a file's is read anew as it is
 * replaced), and programs that give credentials. Throws when there is no cluster to be found.
 */
export async function openCluster({ path, context = null, surroundings }: KubeConfigOptions): Promise<OpenedCluster> {
  const { env, serviceAccount } = surroundings ?? {
    env: process.env,
    serviceAccount: '/var/run/secrets/kubernetes.io/serviceaccount',
  };
  const access = readAccess({ path, context }, { env, serviceAccount });
  const { server, namespace } = access;
  const authorize = isPlainAccess(access) ? plainCredentials(access) : await foreignCredentials(access);
  return { transport: httpTransport({ server, authorize }), server, namespace };
}

/** Programs, providers and proxies, by the library of Kubernetes. */
async function foreignCredentials({
  cluster,
  user,
}: ClusterAccess): Promise<(options: RequestOptions) => Promise<void>> {
  // Half a second and 77 MB: loaded by those alone who need it.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const name = 'chosen';
  config.loadFromString(
    JSON.stringify({
      'current-context': name,
      contexts: [{ name, context: { cluster: name, user: name } }],
      clusters: [{ name, cluster }],
      users: [{ name, user }],
    }),
  );
  const hasProxy = Boolean(cluster['proxy-url']);
  return async (options) => {
    const { agent } = options;
    await config.applyToHTTPSOptions(options);
    // Without a proxy our own agent is used, which keeps connections.
    if (!hasProxy) options.agent = agent;
  };
}
