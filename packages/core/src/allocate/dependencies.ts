import type { AllocationRequest } from './types.ts';

/** Why a workload's dependencies matter now: it waits for the first of the path, and that for the next. */
export interface Dependence {
  kind: 'waits' | 'cycle';
  /** Names after the workload's own, at most `maxPath`. Of a cycle: back to the workload. */
  path: string[];
}

/** Longer chains are cut: the reader follows them from workload to workload. */
const maxPath = 8;

type Graph = Map<string, string[]>;

/**
 * The workloads with a dependency that has no ready replica. Those that wait for one another in a circle would wait
 * for ever: the circle holds nobody back, only what is outside of it does.
 */
export function dependences(requests: readonly AllocationRequest[]): Map<string, Dependence> {
  const graph: Graph = new Map();
  for (const { workload, dependencies } of requests) {
    const missing = dependencies.filter((dependency) => !dependency.ready).map((dependency) => dependency.workload);
    if (missing.length > 0) graph.set(workload, missing.sort());
  }
  const found = new Map<string, Dependence>();
  if (graph.size === 0) return found;
  const circles = circlesOf(graph);
  const inCircle = (from: string, to: string) => from === to || circles.get(from) === circles.get(to);
  for (const [workload, missing] of graph) {
    const outside = missing.some((dependency) => !inCircle(workload, dependency));
    const path = outside ? pathOutside(graph, workload, inCircle) : pathBack(graph, workload, inCircle);
    found.set(workload, { kind: outside ? 'waits' : 'cycle', path });
  }
  return found;
}

function pathOutside(graph: Graph, start: string, inCircle: (from: string, to: string) => boolean): string[] {
  const path: string[] = [];
  let at: string | undefined = start;
  while (at !== undefined && path.length < maxPath) {
    const from: string = at;
    at = graph.get(from)?.find((dependency) => !inCircle(from, dependency));
    if (at !== undefined) path.push(at);
  }
  return path;
}

/** The shortest way from the workload back to itself within its circle. */
function pathBack(graph: Graph, start: string, inCircle: (from: string, to: string) => boolean): string[] {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const from of queue) {
    for (const to of graph.get(from) ?? []) {
      if (!inCircle(from, to)) continue;
      if (to === start) return wayTo(from, start, cameFrom);
      if (cameFrom.has(to)) continue;
      cameFrom.set(to, from);
      queue.push(to);
    }
  }
  return [start];
}

function wayTo(last: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const backwards = [start];
  for (let at: string | undefined = last; at !== undefined && at !== start; at = cameFrom.get(at)) backwards.push(at);
  return backwards.reverse().slice(-maxPath);
}

/**
 * Strongly connected components (Tarjan, 1972), each named by a number; without recursion, because a chain of
 * dependencies may be as long as there are workloads.
 */
function circlesOf(graph: Graph): Map<string, number> {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const circles = new Map<string, number>();
  const open: string[] = [];
  const lower = (name: string, value: number) => low.set(name, Math.min(low.get(name) ?? value, value));
  const enter = (name: string) => {
    order.set(name, order.size);
    lower(name, order.size - 1);
    open.push(name);
    return { name, next: 0 };
  };
  for (const start of graph.keys()) {
    if (order.has(start)) continue;
    const stack = [enter(start)];
    for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
      const { name } = frame;
      const to = graph.get(name)?.[frame.next++];
      if (to !== undefined) {
        const seen = order.get(to);
        if (seen === undefined) stack.push(enter(to));
        else if (!circles.has(to)) lower(name, seen);
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      const lowest = low.get(name) ?? 0;
      if (parent) lower(parent.name, lowest);
      if (lowest !== order.get(name)) continue;
      for (let member = open.pop(); member !== undefined; member = open.pop()) {
        circles.set(member, lowest);
        if (member === name) break;
      }
    }
  }
  return circles;
}
