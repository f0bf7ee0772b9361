import type { RouteSpec } from '@ebb/documents';

/** Names that a workload has in a cluster besides the routes of its documents: those of a Service of its name. */
export function clusterHosts({ namespace, name }: { namespace: string; name: string }): string[] {
  const base = `${name}.${namespace}`;
  return [base, `${base}.svc`, `${base}.svc.cluster.local`];
}

/** The routes of its documents, and those by its names in the cluster. */
export function withClusterHosts(routes: readonly RouteSpec[], key: string): RouteSpec[] {
  const [, namespace = '', name = ''] = key.split('/');
  const hosts = clusterHosts({ namespace, name }).map(
    (host): RouteSpec => ({ host, pathPrefix: null, headers: {}, model: null }),
  );
  return [...routes, ...hosts];
}
