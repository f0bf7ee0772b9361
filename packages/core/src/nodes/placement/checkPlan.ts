import type { GpuNeed, GpuSharing, Requirement, Taint, Toleration } from '../types.ts';
import type {
  BoundPod,
  NodeLimits,
  PlacedPod,
  PlacementInput,
  PlacementNode,
  PlacementPod,
  PlacementPool,
  Plan,
  PoolOffering,
} from './types.ts';

/**
 * Everything that is wrong with a plan, in words; empty: it can be carried out. Written apart from the planner, pod by
 * pod, with nothing shared but the types: a mistake in one is not a mistake in both.
 */
export function checkPlan(input: PlacementInput, plan: Plan): string[] {
  const wrong: string[] = [];
  const machines = readMachines(input, plan, wrong);
  checkEveryPodOnce(input, plan, wrong);
  for (const machine of machines) checkMachine(input, machine, wrong);
  checkZones(input, machines, wrong);
  checkLimits(input, plan, wrong);
  const price = plan.buy.reduce((sum, { pricePerHourMicro }) => sum + pricePerHourMicro, 0);
  if (price !== plan.pricePerHourMicro) wrong.push(`price is told as ${plan.pricePerHourMicro}, nodes cost ${price}`);
  if (plan.costPerHourMicro < plan.pricePerHourMicro) wrong.push('cost is below price');
  if (plan.lowerBoundMicro > plan.costPerHourMicro) wrong.push('the bound is above the cost');
  return wrong;
}

/** A node with its pods, bought or there. */
interface Machine {
  name: string;
  isNew: boolean;
  cluster: string;
  region: string;
  zone: string;
  pool: string;
  capacityType: string;
  labels: Readonly<Record<string, string>>;
  taints: readonly Taint[];
  cpuMilli: number;
  memoryBytes: number;
  pods: number;
  gpu: PlacementNode['gpu'];
  sharing: GpuSharing;
  gpuUse: PlacementNode['gpuUse'];
  there: readonly BoundPod[];
  placed: { pod: PlacementPod; place: PlacedPod }[];
}

function readMachines(input: PlacementInput, plan: Plan, wrong: string[]): Machine[] {
  const pods = new Map(input.pods.map((pod) => [pod.id, pod]));
  const withPods = (places: readonly PlacedPod[]) =>
    places.flatMap((place) => {
      const pod = pods.get(place.id);
      if (pod === undefined) wrong.push(`pod ${place.id} was not asked for`);
      return pod === undefined ? [] : [{ pod, place }];
    });
  const machines: Machine[] = [];
  const planned = new Map(plan.bind.map(({ node, pods }) => [node, pods]));
  if (planned.size !== plan.bind.length) wrong.push('a node is bound twice');
  for (const { node } of plan.bind) {
    if (!input.nodes.some(({ name }) => name === node)) wrong.push(`node ${node} does not exist`);
  }
  for (const node of input.nodes)
    machines.push({ ...oldMachine(node), placed: withPods(planned.get(node.name) ?? []) });
  for (const [index, bought] of plan.buy.entries()) {
    const pool = input.pools.find(({ name }) => name === bought.pool);
    const entry = pool?.offerings.find(({ offering }) => offering.id === bought.offering);
    if (!pool || !entry) {
      wrong.push(`${bought.pool} does not offer ${bought.offering}`);
      continue;
    }
    if (entry.backedOffUntilMs !== null && entry.backedOffUntilMs > input.nowMs) {
      wrong.push(`${bought.offering} is backed off`);
    }
    if (entry.offering.pricePerHourMicro !== bought.pricePerHourMicro)
      wrong.push(`${bought.offering} has another price`);
    if (bought.pods.length === 0) wrong.push(`${bought.offering} is bought for nothing`);
    machines.push({ ...newMachine(`new-${index}`, pool, entry), placed: withPods(bought.pods) });
  }
  return machines;
}

function oldMachine(node: PlacementNode): Omit<Machine, 'placed'> {
  const { name, cluster, region, zone, pool, capacityType, taints, free, gpu, sharing, gpuUse, pods } = node;
  const known = placeLabels(cluster, region, zone, pool);
  return {
    ...{ name, isNew: false, cluster, region, zone, pool, capacityType, taints, gpu, sharing, gpuUse },
    labels: { ...known, ...node.labels },
    cpuMilli: free.cpuMilli,
    memoryBytes: free.memoryBytes,
    pods: free.pods,
    there: pods,
  };
}

function newMachine(name: string, pool: PlacementPool, { offering }: PoolOffering): Omit<Machine, 'placed'> {
  const { instanceType, region, zone, capacityType } = offering;
  const { cluster, reserve, taints, sharing } = pool;
  return {
    ...{ name, isNew: true, cluster, region, zone, pool: pool.name, capacityType, taints, sharing },
    labels: {
      ...instanceType.labels,
      ...placeLabels(cluster, region, zone, pool.name),
      'ebb.dev/capacity-type': capacityType,
      'kubernetes.io/arch': instanceType.architecture,
      'node.kubernetes.io/instance-type': instanceType.name,
      ...pool.labels,
    },
    cpuMilli: instanceType.cpuMilli - reserve.cpuMilli,
    memoryBytes: instanceType.memoryBytes * (1 - reserve.memoryShare) - reserve.memoryBytes,
    pods: instanceType.maxPods - reserve.pods,
    gpu: instanceType.gpu,
    gpuUse: [],
    there: [],
  };
}

function placeLabels(cluster: string, region: string, zone: string, pool: string): Record<string, string> {
  return {
    'topology.kubernetes.io/zone': zone,
    'topology.kubernetes.io/region': region,
    'ebb.dev/cluster': cluster,
    'ebb.dev/pool': pool,
  };
}

function checkEveryPodOnce(input: PlacementInput, plan: Plan, wrong: string[]): void {
  const seen = new Map<string, number>();
  const see = (id: string) => seen.set(id, (seen.get(id) ?? 0) + 1);
  for (const { pods } of [...plan.buy, ...plan.bind]) for (const { id } of pods) see(id);
  for (const { pods } of plan.unplaceable) for (const id of pods) see(id);
  for (const { id } of input.pods) if (seen.get(id) !== 1) wrong.push(`pod ${id} is told ${seen.get(id) ?? 0} times`);
}

function checkMachine({ pods: asked, nodes, settings }: PlacementInput, machine: Machine, wrong: string[]): void {
  const { name, placed, there } = machine;
  const say = (text: string) => wrong.push(`${name}: ${text}`);
  const sum = (amount: (pod: PlacementPod) => number) => placed.reduce((total, { pod }) => total + amount(pod), 0);
  if (placed.length === 0) return;
  if (sum(({ cpuMilli }) => cpuMilli) > machine.cpuMilli) say('more CPU than there is');
  if (sum(({ memoryBytes }) => memoryBytes) > machine.memoryBytes) say('more memory than there is');
  if (placed.length > machine.pods) say('more pods than it takes');
  if (settings.maxPodsPerNode !== null && placed.length + there.length > settings.maxPodsPerNode)
    say('over maxPodsPerNode');
  for (const { pod } of placed) {
    if (!isAllowedAt(pod, machine)) say(`${pod.id} may not be in this place or with these labels`);
    if (machine.capacityType === 'spot' && !pod.interruptible) say(`${pod.id} must not be interrupted`);
    for (const taint of machine.taints) {
      if (taint.effect !== 'PreferNoSchedule' && !pod.tolerations.some((one) => isCovered(taint, one))) {
        say(`${pod.id} does not tolerate ${taint.key}`);
      }
    }
  }
  checkTogether(machine, say);
  checkGpus(machine, say);
  if (settings.maxWorkloadShare >= 1) return;
  for (const workload of new Set(placed.map(({ pod }) => pod.workload))) {
    const all = [...asked, ...nodes.flatMap((node) => node.pods)].filter((pod) => pod.workload === workload).length;
    const here = [...there, ...placed.map(({ pod }) => pod)].filter((pod) => pod.workload === workload).length;
    if (here > Math.max(1, Math.floor(all * settings.maxWorkloadShare))) say(`too large a part of ${workload}`);
  }
}

function isAllowedAt(pod: PlacementPod, { cluster, region, pool, labels }: Machine): boolean {
  const places = [
    [pod.clusters, cluster],
    [pod.regions, region],
    [pod.pools, pool],
  ] as const;
  if (places.some(([allowed, here]) => allowed !== null && !allowed.includes(here))) return false;
  if (!pod.requirements.every((one) => isMet(one, labels))) return false;
  const terms = pod.affinityTerms;
  return terms.length === 0 || terms.some((term) => term.every((one) => isMet(one, labels)));
}

const picks = (selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>) =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

function checkTogether({ placed, there }: Machine, say: (text: string) => void): void {
  const all: BoundPod[] = [...there, ...placed.map(({ pod }) => pod)];
  for (const [i, a] of all.entries()) {
    for (const { topology, selector } of a.antiAffinity) {
      if (topology !== 'hostname') continue;
      for (const [j, b] of all.entries()) {
        // Two that were there already are not this plan's doing.
        if (i !== j && (i >= there.length || j >= there.length) && picks(selector, b.labels))
          say('two that must be apart');
      }
    }
  }
  for (const { pod } of placed) {
    for (const { topology, selector, maxSkew } of pod.spread) {
      if (topology === 'hostname' && all.filter(({ labels }) => picks(selector, labels)).length > maxSkew) {
        say(`${pod.id} is not spread over nodes`);
      }
    }
  }
}

function checkGpus({ gpu, sharing, gpuUse, placed }: Machine, say: (text: string) => void): void {
  const count = gpu?.count ?? 0;
  const use = Array.from({ length: count }, (_, i) => ({
    places: gpuUse[i]?.places ?? 0,
    milli: gpuUse[i]?.gpuMilli ?? 0,
    bytes: gpuUse[i]?.memoryBytes ?? 0,
    instances: [...(gpuUse[i]?.instances ?? [])],
  }));
  for (const { pod, place } of placed) {
    const need = pod.gpu;
    if (need === null) {
      if (place.gpus.length > 0) say(`${pod.id} asked for no GPU`);
      continue;
    }
    if (gpu === null || (need.kind !== 'mig' && need.vendor !== null && need.vendor !== gpu.vendor)) {
      say(`${pod.id} has no such GPU here`);
      continue;
    }
    if (place.gpus.length !== (need.kind === 'share' ? 1 : need.count)) say(`${pod.id} has another number of GPUs`);
    if (need.kind === 'whole' && need.minMemoryBytes > gpu.memoryBytes) say(`${pod.id} needs larger GPUs`);
    if (need.kind === 'share' && need.memoryBytes > gpu.memoryBytes) say(`${pod.id} needs a larger GPU`);
    if ((need.kind === 'mig') !== (sharing.kind === 'mig')) say(`${pod.id} and MIG do not go together`);
    for (const [k, index] of place.gpus.entries()) {
      const one = use[index];
      if (one === undefined) say(`GPU ${index} does not exist`);
      else take(one, need, gpu.memoryBytes, place.instances[k]);
    }
  }
  const places = 'replicas' in sharing ? sharing.replicas : 1;
  for (const [index, one] of use.entries()) {
    if (sharing.kind === 'fraction' ? one.milli > 1000 || one.bytes > (gpu?.memoryBytes ?? 0) : one.places > places) {
      say(`GPU ${index} is shared by more than was declared`);
    }
    const slices = one.instances.flatMap(({ profile, start }) => {
      const size = sliceCount(profile, gpu?.memoryBytes ?? 0);
      return Array.from({ length: size }, (_, k) => start + k);
    });
    if (new Set(slices).size < slices.length) say(`GPU ${index}: MIG instances overlap`);
    const compute = one.instances.reduce((sum, { profile }) => sum + Number.parseInt(profile, 10), 0);
    if (compute > 7) say(`GPU ${index}: more MIG compute than there is`);
  }
}

interface UsedGpu {
  places: number;
  milli: number;
  bytes: number;
  instances: { profile: string; start: number }[];
}

function take(
  one: UsedGpu,
  need: GpuNeed,
  memoryBytes: number,
  instance: UsedGpu['instances'][number] | undefined,
): void {
  one.milli += need.kind === 'share' ? need.gpuMilli : 1000;
  one.bytes += need.kind === 'share' ? need.memoryBytes : memoryBytes;
  if (need.kind !== 'mig') one.places++;
  else if (instance) one.instances.push(instance);
}

/** Memory slices of a profile such as `2g.20gb`, of eight on a card. */
function sliceCount(profile: string, memoryBytes: number): number {
  const gigabytes = Number(/\.(\d+)gb/.exec(profile)?.[1] ?? 0);
  const slices = Math.round((gigabytes * 2 ** 30) / (memoryBytes / 8));
  return Math.max(1, slices);
}

function checkZones({ nodes }: PlacementInput, machines: readonly Machine[], wrong: string[]): void {
  const all = machines.flatMap(({ zone, placed }) => placed.map(({ pod }) => ({ zone, pod, isNew: true })));
  const before = nodes.flatMap(({ zone, pods }) => pods.map((pod) => ({ zone, pod, isNew: false })));
  const everything: { zone: string; pod: BoundPod; isNew: boolean }[] = [...before, ...all];
  for (const one of everything) {
    for (const { topology, selector } of one.pod.antiAffinity) {
      if (topology !== 'zone') continue;
      const near = everything.some(
        (other) =>
          other !== one && other.zone === one.zone && (one.isNew || other.isNew) && picks(selector, other.pod.labels),
      );
      if (near) wrong.push(`zone ${one.zone}: two that must be apart`);
    }
  }
  for (const { zone, pod } of all) {
    for (const { topology, selector, maxSkew } of pod.spread) {
      if (topology !== 'zone') continue;
      const count = (where: string) =>
        everything.filter((other) => other.zone === where && picks(selector, other.pod.labels)).length;
      // Machines that place and labels allow, whatever their taints and sizes: as Kubernetes counts them.
      const zones = machines.filter((machine) => isAllowedAt(pod, machine));
      const least = Math.min(...zones.map((machine) => count(machine.zone)));
      if (count(zone) - least > maxSkew) wrong.push(`${pod.id} makes zone ${zone} too full`);
    }
  }
}

function checkLimits({ pools, settings }: PlacementInput, plan: Plan, wrong: string[]): void {
  const amounts = (bought: Plan['buy']) => {
    const sum = { nodes: bought.length, cpuMilli: 0, memoryBytes: 0, gpus: 0, pricePerHourMicro: 0 };
    for (const { pool, offering } of bought) {
      const found = pools.find(({ name }) => name === pool)?.offerings.find((entry) => entry.offering.id === offering);
      const type = found?.offering.instanceType;
      sum.cpuMilli += type?.cpuMilli ?? 0;
      sum.memoryBytes += type?.memoryBytes ?? 0;
      sum.gpus += type?.gpu?.count ?? 0;
      sum.pricePerHourMicro += found?.offering.pricePerHourMicro ?? 0;
    }
    return sum;
  };
  const within = (what: string, bought: Plan['buy'], used: readonly NodeUse[], limits: NodeLimits) => {
    const now = amounts(bought);
    for (const key of ['nodes', 'cpuMilli', 'memoryBytes', 'gpus', 'pricePerHourMicro'] as const) {
      const max = limits[key];
      // What was over its limit before may stay so, but nothing is added.
      const total = now[key] + used.reduce((sum, one) => sum + one[key], 0);
      if (max !== null && now[key] > 0 && total > max) wrong.push(`${what}: ${key} is ${total}, at most ${max}`);
    }
  };
  within(
    'all pools',
    plan.buy,
    pools.map(({ used }) => used),
    settings.limits,
  );
  for (const { name, used, limits, offerings } of pools) {
    const bought = plan.buy.filter(({ pool }) => pool === name);
    within(name, bought, [used], limits);
    for (const { offering, stock } of offerings) {
      const count = bought.filter((one) => one.offering === offering.id).length;
      if (stock !== null && count > stock) wrong.push(`${offering.id}: ${count} bought of ${stock}`);
    }
  }
}
type NodeUse = PlacementPool['used'];

function isMet({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[key];
  const bound = Number(values[0]);
  if (operator === 'In') return value !== undefined && values.includes(value);
  if (operator === 'NotIn') return value === undefined || !values.includes(value);
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  if (value === undefined || !/^-?\d+$/.test(value)) return false;
  return operator === 'Gt' ? Number(value) > bound : Number(value) < bound;
}

function isCovered({ key, value, effect }: Taint, by: Toleration): boolean {
  if (by.effect !== null && by.effect !== effect) return false;
  if (by.key === null || by.key === '') return by.operator === 'Exists';
  return by.key === key && (by.operator === 'Exists' || by.value === value);
}
