import type { RequestOptions } from 'node:https';
import { httpTransport, type Transport } from './transport.ts';

export interface KubeConfigOptions {
  /** A kubeconfig; null: `KUBECONFIG`, the service account of the pod, or `~/.kube/config`, in the order of kubectl. */
  readonly path: string | null;
  /** A context of it; left out or null: the one that is current. */
  readonly context?: string | null;
}

export interface OpenedCluster {
  readonly transport: Transport;
  readonly server: string;
  /** Namespace of the context or of the pod; null: it names none. */
  readonly namespace: string | null;
}

/**
 * Connects as a kubeconfig says, or as the pod that this runs in: certificates, tokens (a service account's is read
 * anew as it is replaced), and programs that give credentials. Throws when there is no cluster to be found.
 */
export async function openCluster({ path, context: chosen = null }: KubeConfigOptions): Promise<OpenedCluster> {
  // Half a second and 77 MB: loaded by those alone who have a cluster.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (path !== null) config.loadFromFile(path);
  else config.loadFromDefault();
  if (chosen !== null) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(chosen)) throw new Error(`there is no context "${chosen}"; there are ${names.join(', ')}`);
    config.setCurrentContext(chosen);
  }
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error(`${path ?? 'the kubeconfig'} names no cluster that is in use (current-context)`);
  const transport = httpTransport({
    server: cluster.server,
    async authorize(options: RequestOptions) {
      const { agent } = options;
      await config.applyToHTTPSOptions(options);
      // Without a proxy our own agent is used, which keeps connections.
      if (!cluster.proxyUrl) options.agent = agent;
    },
  });
  const context = config.getContextObject(config.getCurrentContext());
  return { transport, server: cluster.server, namespace: context?.namespace ?? null };
}
