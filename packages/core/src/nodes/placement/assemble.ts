import type { GpuNeed } from '../types.ts';
import { placeInstances } from './gpuRoom.ts';
import type { Layout } from './greedy.ts';
import type { Problem } from './problem.ts';
import type { Pattern } from './room.ts';
import type { NodeGpuUse, PlacedPod, Plan } from './types.ts';

/** One node of a layout with its pods by name: nodes that are there first, then the new ones. */
export interface NamedNode {
  pattern: Pattern;
  pods: PlacedPod[];
  /** By pod. */
  classes: number[];
}

/** Gives each place of a layout to a pod: pods of a class in the order in which they came. */
export function nameNodes({ classes }: Problem, layout: Layout): NamedNode[] {
  const next = classes.map(() => 0);
  const named = (pattern: Pattern): NamedNode => {
    const node: NamedNode = { pattern, pods: [], classes: [] };
    for (const [i, c] of pattern.classes.entries()) {
      for (let k = 0; k < (pattern.counts[i] ?? 0); k++) {
        const id = classes[c]?.ids[next[c] ?? 0];
        next[c] = (next[c] ?? 0) + 1;
        if (id === undefined) throw new Error(`more pods of class ${c} were placed than there are`);
        node.pods.push({ id, gpus: pattern.gpus?.get(c)?.[k] ?? [], instances: [] });
        node.classes.push(c);
      }
    }
    return node;
  };
  const bought = layout.bought.flatMap(({ pattern, times }) => Array.from({ length: times }, () => named(pattern)));
  return [...layout.bound.map(named), ...bought];
}

/** Says which GPUs each pod of a node uses, and where its MIG instances lie. */
export function assignGpus({ classes }: Problem, { pattern, pods, classes: classOf }: NamedNode): PlacedPod[] {
  const { supply } = pattern.bin;
  const { shape } = supply.point;
  const uses = supply.kind === 'node' ? supply.node.gpuUse : [];
  const needs = classOf.map((c): GpuNeed | null => classes[c]?.needs.pod.gpu ?? null);
  if (shape.isAdditive) return assignPlaces(pods, needs, shape.gpu?.count ?? 0, shape.capacity[0], uses);
  if (shape.card === null) return pods;
  const counts = (shape.gpu ? Array.from({ length: shape.gpu.count }, () => ({})) : []) as Record<string, number>[];
  for (const [i, { gpus }] of pods.entries()) {
    const need = needs[i];
    if (need?.kind !== 'mig') continue;
    for (const gpu of gpus) {
      const on = counts[gpu];
      if (on) on[need.profile] = (on[need.profile] ?? 0) + 1;
    }
  }
  const places = counts.map((on, gpu) => placeInstances(shape, uses[gpu], on) ?? []);
  return pods.map((pod, i) => {
    const need = needs[i];
    if (need?.kind !== 'mig') return pod;
    const instances = pod.gpus.map((gpu) => {
      const free = places[gpu] ?? [];
      const at = free.findIndex(({ profile }) => profile === need.profile);
      const [instance] = at < 0 ? [] : free.splice(at, 1);
      if (instance === undefined) throw new Error(`GPU ${gpu} has no place for ${need.profile}`);
      return instance;
    });
    return { ...pod, instances };
  });
}

/** Whole GPUs, and places of time-slicing and MPS: the first that are free, one GPU after the other. */
function assignPlaces(
  pods: readonly PlacedPod[],
  needs: readonly (GpuNeed | null)[],
  gpus: number,
  places: number,
  uses: readonly NodeGpuUse[],
): PlacedPod[] {
  const each = gpus === 0 ? 0 : places / gpus;
  const free = Array.from({ length: gpus }, (_, gpu) =>
    Array.from({ length: Math.max(0, each - (uses[gpu]?.places ?? 0)) }, () => gpu),
  ).flat();
  return pods.map((pod, i) => {
    const need = needs[i] ?? null;
    const wanted = need === null ? 0 : need.kind === 'share' ? 1 : need.count;
    return wanted === 0 ? pod : { ...pod, gpus: free.splice(0, wanted) };
  });
}

/** The nodes as a plan tells them. */
export function tellNodes(
  problem: Problem,
  nodes: readonly NamedNode[],
): Pick<Plan, 'buy' | 'bind' | 'pricePerHourMicro'> {
  const buy: Plan['buy'][number][] = [];
  const bind: Plan['bind'][number][] = [];
  for (const node of nodes) {
    if (node.pods.length === 0) continue;
    const pods = assignGpus(problem, node);
    const { supply } = node.pattern.bin;
    if (supply.kind === 'node') bind.push({ node: supply.node.name, pods });
    else {
      const { id, zone, pricePerHourMicro } = supply.entry.offering;
      buy.push({ pool: supply.pool.name, offering: id, zone, pricePerHourMicro, pods });
    }
  }
  return { buy, bind, pricePerHourMicro: buy.reduce((sum, { pricePerHourMicro }) => sum + pricePerHourMicro, 0) };
}
