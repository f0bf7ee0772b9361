/** Who needs whom, by key text. A dependency that is not applied is simply absent from the map's keys. */
export type DependencyGraph = ReadonlyMap<string, readonly string[]>;

/** A cycle through `start`, as the keys along it ending where it began; null when there is none. */
export function findCycle(graph: DependencyGraph, start: string): string[] | null {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (key: string): string[] | null => {
    if (key === start && path.length > 0) return [...path, start];
    if (done.has(key)) return null;
    done.add(key);
    path.push(key);
    for (const next of graph.get(key) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    return null;
  };
  return visit(start);
}

/**
 * The workloads that must keep a replica because something that depends on them, directly or further down, is wanted:
 * each with the one that asks for it.
 */
export function neededBy(graph: DependencyGraph, wanted: Iterable<string>): Map<string, string> {
  const needed = new Map<string, string>();
  const queue = [...wanted];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    for (const dependency of graph.get(key) ?? []) {
      if (needed.has(dependency)) continue;
      needed.set(dependency, key);
      queue.push(dependency);
    }
  }
  return needed;
}
