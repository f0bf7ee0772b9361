import { parseKeyText, type RouteSpec } from '@ebb/documents';

/** The routes of a workload's documents, and those by the names that it has in a cluster besides: those of a Service of its name. */
export function withClusterHosts(routes: readonly RouteSpec[], key: string): RouteSpec[] {
  const { namespace, name } = parseKeyText(key);
  const base = `${name}.${namespace}`;
  const hosts = [base, `${base}.svc`, `${base}.svc.cluster.local`].map(
    (host): RouteSpec => ({ host, pathPrefix: null, headers: {}, model: null }),
  );
  return [...routes, ...hosts];
}
