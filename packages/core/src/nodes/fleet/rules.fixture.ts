import type { PlacementPod } from '../placement/types.ts';
import type { Simulation } from './simulation.fixture.ts';
import type { FleetDecision, FleetMemory, FleetNode } from './types.ts';

/** What must hold after every step, written apart from the step. */
export function checkState(simulation: Simulation, memory: FleetMemory, { reasons }: FleetDecision): void {
  const { replicas, spec } = simulation;
  const told = new Set(reasons.flatMap((reason) => (reason.code === 'unplaceable' ? reason.pods : [])));
  const isActing = memory.provider.isSeen && !spec.isRemoved;
  const ids = new Set(memory.nodes.map(({ id }) => id));
  for (const { pod, bound, isLeaving } of replicas.all.values()) {
    if (!isActing) break;
    if (bound === null && !isLeaving && !told.has(pod.id)) simulation.fail(`${pod.id} waits without a reason`);
    if (bound !== null && !ids.has(bound.node)) simulation.fail(`${pod.id} is on a node that is not in the book`);
  }
  for (const node of memory.nodes) {
    const pods = replicas.on(node.id).map(({ pod }) => pod);
    if (!isWithin(node, pods)) simulation.fail(`${node.id} is too full`);
    if (node.phase === 'ending' && pods.length > 0) simulation.fail(`${node.id} ends with pods on it`);
  }
  if (ids.size < memory.nodes.length) simulation.fail('a node is twice in the book');
  if (!isPlain(memory)) simulation.fail('the memory is not plain JSON');
}

/** Whether a text of it, read again, is the same. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  return typeof value === 'object' && Object.values(value).every(isPlain);
}

/** Nothing is bought over a limit, nor for a pod that has room on a node that is there or on its way. */
export function checkBought(simulation: Simulation, memory: FleetMemory, { actions, reasons }: FleetDecision): void {
  const { replicas, spec, leaders } = simulation;
  for (const reason of reasons) {
    if (
      reason.code !== 'bought' &&
      reason.code !== 'warm-spare' &&
      reason.code !== 'min-nodes' &&
      reason.code !== 'hedge'
    )
      continue;
    const own = memory.nodes.filter(({ pool }) => pool === reason.pool);
    const { limits } = spec.pools.find((one) => one.consolidation.pool.name === reason.pool)?.consolidation.pool ?? {};
    const price = own.reduce((sum, { offering }) => sum + offering.pricePerHourMicro, 0);
    // What another leader bought is taken back, and may be too much.
    const isOver =
      own.length > (limits?.nodes ?? Number.POSITIVE_INFINITY) ||
      price > (limits?.pricePerHourMicro ?? Number.POSITIVE_INFINITY);
    if (isOver && leaders === 1) simulation.fail(`${reason.pool} is over its limits: ${own.length} nodes at ${price}`);
  }
  const bought = new Set(actions.flatMap((action) => (action.type === 'launch' ? [action.node.id] : [])));
  for (const action of actions) {
    const [only, ...others] = action.type === 'launch' ? action.forPods : [];
    const pod = only === undefined || others.length > 0 ? undefined : replicas.all.get(only)?.pod;
    if (pod === undefined || action.type !== 'launch' || action.node.attempts > 0) continue;
    const room = memory.nodes.find((node) => {
      if (bought.has(node.id) || !isOpen(simulation, node) || node.going !== null) return false;
      const isSafe = pod.interruptible || node.offering.capacityType !== 'spot';
      return isSafe && isWithin(node, [...replicas.on(node.id).map((one) => one.pod), pod]);
    });
    if (room) simulation.fail(`${action.node.id} is bought for ${pod.id}, which has room on ${room.id}`);
  }
}

/** Hedges stand for pods that may be interrupted, are no more than twice what these need, and hold the floor when nodes are given back. */
export function checkHedges(simulation: Simulation, memory: FleetMemory, { actions, reasons }: FleetDecision): void {
  const { replicas, spec } = simulation;
  const all = [...replicas.all.values()];
  const hedged = reasons.flatMap((reason) => (reason.code === 'hedge' ? [reason] : []));
  const wanted = all.filter(({ pod }) => pod.interruptible).length;
  if (hedged.length > 2 * wanted + 2) simulation.fail(`${hedged.length} nodes are bought as a hedge of ${wanted} pods`);
  if (hedged.length > 0 && wanted === 0) simulation.fail('a hedge is bought and nothing may run on spot');
  for (const { pool } of hedged) {
    if (!spec.pools.find((one) => one.consolidation.pool.name === pool)?.spot) simulation.fail(`${pool} is not hedged`);
  }
  for (const action of actions) {
    if (action.type !== 'drain' || action.reason.kind !== 'spot-ready') continue;
    const node = memory.nodes.find(({ id }) => id === action.node);
    const staying = memory.nodes.filter(({ pool, phase }) => pool === node?.pool && isThere.includes(phase));
    const floor = spec.pools.find(({ consolidation }) => consolidation.pool.name === node?.pool)?.spot?.onDemandFloor;
    const onDemand = staying.filter(({ offering }) => offering.capacityType !== 'spot').length;
    const inUse = staying.filter(({ id }) => replicas.on(id).length > 0).length;
    const least = floor === undefined ? 0 : 'count' in floor ? Math.min(floor.count, inUse) : floor.share * inUse;
    if (onDemand < least)
      simulation.fail(`${onDemand} on demand are left of ${least} after ${action.node} is given back`);
    if (staying.every(({ offering, phase }) => offering.capacityType !== 'spot' || phase !== 'ready')) {
      simulation.fail(`${action.node} is given back and no spot is ready`);
    }
  }
}
const isThere = ['asked', 'starting', 'ready'];

function isOpen({ spec, cloud }: Simulation, { id, pool, notice, phase, revision }: FleetNode): boolean {
  const own = spec.pools.find(({ consolidation }) => consolidation.pool.name === pool);
  const isThere = phase !== 'ready' || cloud.isAway || cloud.machines.get(id)?.phase === 'ready';
  return own?.revision === revision && notice === null && isThere;
}

function isWithin({ offering }: FleetNode, pods: readonly PlacementPod[]): boolean {
  const { cpuMilli, memoryBytes, gpu } = offering.instanceType;
  const sum = (amount: (pod: PlacementPod) => number) => pods.reduce((all, pod) => all + amount(pod), 0);
  return (
    sum((pod) => pod.cpuMilli) <= cpuMilli &&
    sum((pod) => pod.memoryBytes) <= memoryBytes &&
    sum((pod) => (pod.gpu === null ? 0 : 1)) <= (gpu?.count ?? 0)
  );
}
