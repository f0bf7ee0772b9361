import { parseKeyText, type RouteSpec } from '@ebb/documents';

/**
 * The routes of a workload's documents, and those by the names that it has in a cluster besides: those of a Service of its name, and
 * of the Services that are named.
 */
export function withClusterHosts(
  routes: readonly RouteSpec[],
  key: string,
  services: readonly string[] = [],
): RouteSpec[] {
  const { namespace, name } = parseKeyText(key);
  const hosts = [...new Set([name, ...services])].flatMap((service) => {
    const base = `${service}.${namespace}`;
    return [base, `${base}.svc`, `${base}.svc.cluster.local`];
  });
  return [...routes, ...hosts.map((host): RouteSpec => ({ host, pathPrefix: null, headers: {}, model: null }))];
}
