import { keyText, routeText, type WorkloadSpec } from '@ebb/documents';

export interface RouteConflict {
  /** Index into `candidates`. */
  index: number;
  /** Path inside that document. */
  path: string;
  route: string;
  owner: string;
}

/** The first route that two workloads would share, after the candidates have replaced what they replace. */
export function findRouteConflict(candidates: WorkloadSpec[], present: Iterable<WorkloadSpec>): RouteConflict | null {
  const owners = new Map<string, string>();
  const replaced = new Set(candidates.map((spec) => keyText(spec.key)));
  for (const spec of present) {
    if (replaced.has(keyText(spec.key))) continue;
    for (const route of spec.serving.routes) owners.set(routeText(route), keyText(spec.key));
  }
  for (const [index, spec] of candidates.entries()) {
    const own = keyText(spec.key);
    for (const [position, route] of spec.serving.routes.entries()) {
      const text = routeText(route);
      const owner = owners.get(text);
      if (owner !== undefined && owner !== own) {
        return { index, path: `spec.serving.routes[${position}]`, route: text, owner };
      }
      owners.set(text, own);
    }
  }
  return null;
}
