import { parseKeyText, type RouteSpec } from '@ebb/documents';

/** A Service that stands for a workload. */
export interface ServiceName {
  readonly name: string;
  /** No other one that gateways stand behind has that name, in whichever namespace: the bare name says enough. */
  readonly isOnly: boolean;
}

/**
 * The routes of a workload's documents, and those by the names that it has in a cluster besides: those of a Service of its name, and
 * of the Services that are named.
 */
export function withClusterHosts(
  routes: readonly RouteSpec[],
  key: string,
  services: readonly ServiceName[] = [],
): RouteSpec[] {
  const { namespace, name } = parseKeyText(key);
  const full = [...new Set([name, ...services.map((service) => service.name)])].flatMap((service) => {
    const base = `${service}.${namespace}`;
    return [base, `${base}.svc`, `${base}.svc.cluster.local`];
  });
  const bare = services.flatMap((service) => (service.isOnly ? [service.name] : []));
  const hosts = [...full, ...new Set(bare)];
  return [...routes, ...hosts.map((host): RouteSpec => ({ host, pathPrefix: null, headers: {}, model: null }))];
}
