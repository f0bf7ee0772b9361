import { withPods } from '../consolidation/assignment.ts';
import { boughtNode } from '../consolidation/runningCost.ts';
import type { ConsolidationNode, ConsolidationPool, RunningPod } from '../consolidation/types.ts';
import { countsOf } from '../placement/limits.ts';
import { greedyPlan } from '../placement/plan.ts';
import type { NodeGpuUse, PlacementInput, PlacementPod, PoolOffering } from '../placement/types.ts';
import type { Offering } from '../types.ts';
import { noLimits } from './poolsOf.ts';
import { knownNames, type PlacementAnswer, type PlacementQuestion } from './question.ts';

/** A machine that is there, as a file or a provider tells of it. */
export interface ExistingNode {
  id: string;
  /** Key of its pool, or its name. */
  pool: string;
  cloud: string;
  region: string;
  /** `*`: not said. */
  zone: string;
  instanceType: string;
  capacityType: Offering['capacityType'];
  /** Null: as the list of prices has it. */
  pricePerHourMicro: number | null;
  /** How many replicas of a workload, or of one class (`llm:large`), run there. */
  runs: ReadonlyMap<string, number>;
  /** All that is set aside on it, `runs` included; null: just what those ask for. */
  setAside: { cpuMilli: number; memoryBytes: number; gpuMilli: number } | null;
}

export interface ExistingQuestion {
  question: Pick<PlacementQuestion, 'offerings'>;
  /** With pools that are named by their keys. */
  answer: PlacementAnswer;
  /** By the name of their pool. */
  pools: readonly ConsolidationPool[];
  nodes: readonly ExistingNode[];
  /** From its start to its first answer, for what a move costs. */
  loadMs: number;
}

export interface ExistingAnswer {
  /** What is left to be placed, on nodes that are there and on new ones. */
  input: PlacementInput;
  /** The nodes with what runs on them. */
  running: readonly ConsolidationNode[];
  /** With what their nodes are already. */
  pools: readonly ConsolidationPool[];
  problems: readonly string[];
}

/**
 * Puts nodes that are there into the input of a plan: replicas that run on them have their places, the others may be bound there.
 * What does not fit together (an unknown pool or machine, more replicas than a node holds) comes as `problems`.
 */
export function withExistingNodes({ question, answer, pools, nodes, loadMs }: ExistingQuestion): ExistingAnswer {
  const problems: string[] = [];
  const { input } = answer;
  const pods = new Map(input.pods.map((pod) => [pod.id, pod]));
  const free = new Map(answer.groups.map(({ name, ids }) => [name, [...ids]]));
  const running: ConsolidationNode[] = [];
  for (const node of nodes) {
    const empty = emptyNode(node, pools, question.offerings, input, problems);
    if (empty === null) continue;
    const there = podsOn(node, free, pods, problems);
    const seated = seat(empty, there, input, loadMs, problems);
    for (const { pod } of seated.pods) pods.delete(pod.id);
    running.push(withOthers(seated, node));
  }
  const used = pools.map((one) => ({ ...one, pool: { ...one.pool, used: usedBy(running, one.pool.name) } }));
  const poolOf = new Map(used.map(({ pool }) => [pool.name, pool]));
  return {
    input: {
      ...input,
      pods: [...pods.values()],
      nodes: running.map(withPods),
      pools: input.pools.map((pool) => ({ ...pool, used: poolOf.get(pool.name)?.used ?? pool.used })),
    },
    running,
    pools: used,
    problems,
  };
}

/** The node without pods, as its pool makes nodes; null, with a problem told, where that cannot be known. */
function emptyNode(
  node: ExistingNode,
  pools: readonly ConsolidationPool[],
  offerings: readonly Offering[],
  { nowMs, settings }: PlacementInput,
  problems: string[],
): ConsolidationNode | null {
  const names = pools.map(({ pool }) => pool.name);
  const pool = pools.find(({ pool: { name } }) => name === node.pool) ?? onlyOf(pools, node.pool);
  if (pool === null) {
    problems.push(`node ${node.id}: no pool is "${node.pool}"${knownNames(undefined, names)}`);
    return null;
  }
  const entry = soldAs(node, pool, offerings);
  if (entry === null) {
    const what = `${node.cloud} ${node.instanceType} ${node.capacityType} in ${node.region}`;
    problems.push(`node ${node.id}: the list of prices has no ${what}`);
    return null;
  }
  const one = { ...pool, pool: { ...pool.pool, offerings: [entry] } };
  const made = boughtNode({ name: node.id, pool: pool.pool.name, offering: entry.offering.id }, one, settings, nowMs);
  if (made === null) return null;
  const labels = { ...made.empty.labels, 'kubernetes.io/hostname': node.id };
  // Long ago: a plan by hand waits for no delay.
  const longAgo = Number.MIN_SAFE_INTEGER;
  return { ...made, empty: { ...made.empty, labels }, readyAtMs: longAgo, quietSinceMs: longAgo };
}

/** The one pool whose key ends with the name; null where there is none or are several. */
function onlyOf(pools: readonly ConsolidationPool[], name: string): ConsolidationPool | null {
  const [first, ...others] = pools.filter(({ pool }) => pool.name.endsWith(`/${name}`));
  return first !== undefined && others.length === 0 ? first : null;
}

function soldAs(node: ExistingNode, { pool }: ConsolidationPool, offerings: readonly Offering[]): PoolOffering | null {
  const isSame = ({ instanceType, region, capacityType }: Offering) =>
    instanceType.name === node.instanceType &&
    instanceType.cloud === node.cloud &&
    region === node.region &&
    capacityType === node.capacityType;
  const sold = pool.offerings.filter(({ offering }) => isSame(offering));
  const bare = offerings.filter(isSame).map((offering): PoolOffering => {
    return { offering, backedOffUntilMs: null, stock: null, interruptionsPerHour: 0 };
  });
  const all = [...sold, ...bare];
  const found = all.find(({ offering }) => offering.zone === node.zone) ?? all[0];
  if (found === undefined) return null;
  const { offering } = found;
  const zone = node.zone === '*' ? offering.zone : node.zone;
  const id = `${node.cloud}/${node.region}/${zone}/${node.instanceType}/${node.capacityType}`;
  const pricePerHourMicro = node.pricePerHourMicro ?? offering.pricePerHourMicro;
  return { ...found, offering: { ...offering, zone, id, pricePerHourMicro } };
}

/** The pods that stand for what runs on a node; each stands for one replica only. */
function podsOn(
  { id, runs }: ExistingNode,
  free: ReadonlyMap<string, string[]>,
  pods: ReadonlyMap<string, PlacementPod>,
  problems: string[],
): PlacementPod[] {
  const found: PlacementPod[] = [];
  for (const [name, count] of runs) {
    const group = [...free].find(([known]) => known === name || known.startsWith(`${name}:`));
    const taken = group?.[1].splice(0, count) ?? [];
    if (taken.length < count) {
      const known = [...free.keys()];
      problems.push(
        `node ${id}: ${count} x ${name} run there${group ? ', more than are planned' : knownNames(undefined, known)}`,
      );
    }
    for (const pod of taken) found.push(...[pods.get(pod)].filter((one) => one !== undefined));
  }
  return found;
}

/** Gives what runs on a node its places there, GPUs included. */
function seat(
  node: ConsolidationNode,
  there: readonly PlacementPod[],
  { nowMs, settings }: PlacementInput,
  loadMs: number,
  problems: string[],
): ConsolidationNode {
  if (there.length === 0) return node;
  // It runs there: rules on where it may be put, and limits on what is bought, do not matter any more.
  const anywhere = there.map((pod) => ({
    ...pod,
    ...{ requirements: [], affinityTerms: [], preferred: [], spread: [], antiAffinity: [] },
    ...{ clusters: null, regions: null, pools: null, interruptible: true },
    tolerations: [{ key: null, operator: 'Exists' as const, value: '', effect: null }],
  }));
  const alone = { nowMs, pods: anywhere, nodes: [node.empty], pools: [], settings: { ...settings, limits: noLimits } };
  const { bind, unplaceable } = greedyPlan(alone);
  const left = unplaceable.reduce((sum, { pods }) => sum + pods.length, 0);
  if (left > 0) {
    const { instanceType } = node.offering;
    problems.push(`node ${node.empty.name}: ${left} of ${there.length} replicas do not fit ${instanceType.name}`);
  }
  const byId = new Map(there.map((pod) => [pod.id, pod]));
  const pods = bind.flatMap((one) =>
    one.pods.flatMap((place): RunningPod[] => {
      const pod = byId.get(place.id);
      return pod === undefined ? [] : [{ pod, place, loadMs, inFlight: 0, doNotDisrupt: false }];
    }),
  );
  return { ...node, pods };
}

/** Takes off what others have set aside on the node; their GPUs are the last ones that are free. */
function withOthers(node: ConsolidationNode, { setAside }: ExistingNode): ConsolidationNode {
  if (setAside === null) return node;
  const own = { cpuMilli: 0, memoryBytes: 0 };
  for (const { pod } of node.pods) {
    own.cpuMilli += pod.cpuMilli;
    own.memoryBytes += pod.memoryBytes;
  }
  const { empty } = node;
  const taken = new Set(node.pods.flatMap(({ place }) => place.gpus));
  const others = Math.max(0, Math.ceil(setAside.gpuMilli / 1000) - taken.size);
  const idle = empty.gpuUse.map((_, index) => index).filter((index) => !taken.has(index));
  const busy = new Set(idle.slice(Math.max(0, idle.length - others)));
  const full: NodeGpuUse = {
    ...{ places: 1, gpuMilli: 1000, memoryBytes: empty.gpu?.memoryBytes ?? 0, instances: [] },
  };
  return {
    ...node,
    empty: {
      ...empty,
      free: {
        cpuMilli: empty.free.cpuMilli - Math.max(0, setAside.cpuMilli - own.cpuMilli),
        memoryBytes: empty.free.memoryBytes - Math.max(0, setAside.memoryBytes - own.memoryBytes),
        pods: empty.free.pods,
      },
      gpuUse: empty.gpuUse.map((use, index) => (busy.has(index) ? full : use)),
    },
    // What is not known cannot be moved.
    doNotDisrupt: setAside.cpuMilli > own.cpuMilli || setAside.memoryBytes > own.memoryBytes || others > 0,
  };
}

function usedBy(nodes: readonly ConsolidationNode[], pool: string): ConsolidationPool['pool']['used'] {
  const used = { nodes: 0, cpuMilli: 0, memoryBytes: 0, gpus: 0, pricePerHourMicro: 0 };
  for (const { empty, offering } of nodes) {
    if (empty.pool !== pool) continue;
    const counts = countsOf({ entry: { offering, backedOffUntilMs: null, stock: null, interruptionsPerHour: 0 } });
    for (const key of ['nodes', 'cpuMilli', 'memoryBytes', 'gpus', 'pricePerHourMicro'] as const)
      used[key] += counts[key];
  }
  return used;
}
