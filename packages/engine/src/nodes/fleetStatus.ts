import { type FleetNode, fleetSentence, goingSentence, type NodeObservation } from '@ebb/core';
import type { FleetStatus, NodeStatus, Resources } from '@ebb/documents';
import type { EngineContext } from '../context.ts';
import type { Fleet } from './fleet.ts';

/** What is said of a cluster's machines, wall times by the engine's clock. */
export function fleetStatus(context: EngineContext, fleet: Fleet): FleetStatus {
  const machines = new Map(fleet.machines?.map((machine) => [machine.id, machine]));
  const replicas = [...fleet.replicas()];
  const byNode = Map.groupBy(replicas, ({ place }) => place?.bound?.node ?? '');
  const nodes = (fleet.memory?.nodes ?? []).map((node) => {
    const own = byNode.get(node.id) ?? [];
    const requests = own.map((replica) => requestsOf(context, replica.id));
    return nodeStatus(context, fleet, node, machines.get(node.id) ?? null, {
      replicas: own.map(({ id }) => id).sort(),
      requests,
    });
  });
  const { decision, documents } = fleet;
  const nowMs = context.ports.clock.nowMs();
  return {
    cluster: fleet.name,
    provider: fleet.providerName ?? 'none',
    problem: fleet.problem ?? (fleet.machines === null && fleet.providerName ? 'the provider does not answer' : null),
    nodes: nodes.sort((left, right) => (left.id < right.id ? -1 : 1)),
    waiting: byNode.get('')?.length ?? 0,
    pricePerHourMicro: decision?.pricePerHourMicro ?? 0,
    lowerBoundMicro: decision?.lowerBoundMicro ?? null,
    currency: fleet.currency,
    reasons: (decision?.reasons ?? []).map((reason) => ({ code: reason.code, sentence: fleetSentence(reason, nowMs) })),
    notes: [...context.fleets.moneySentences(fleet.name), ...(documents?.parts.notes ?? [])],
  };
}

function requestsOf(context: EngineContext, id: string): Resources | null {
  const state = context.owners.get(id);
  const className = state?.replicas.get(id)?.class;
  return state?.spec.classes.find(({ name }) => name === className)?.resources.requests ?? null;
}

function nodeStatus(
  { fleets }: EngineContext,
  fleet: Fleet,
  node: FleetNode,
  machine: NodeObservation | null,
  { replicas, requests }: { replicas: string[]; requests: (Resources | null)[] },
): NodeStatus {
  const { instanceType, region, zone, capacityType, pricePerHourMicro } = node.offering;
  const sum = (field: 'cpuMilli' | 'memoryBytes' | 'gpuMilli') =>
    requests.reduce((total, one) => total + (one?.[field] ?? 0), 0);
  const allocatable = fleets.ledger.row(node.id)?.allocatable ?? {
    cpuMilli: instanceType.cpuMilli,
    memoryBytes: instanceType.memoryBytes,
    gpuMilli: (instanceType.gpu?.count ?? 0) * 1000,
  };
  return {
    id: node.id,
    providerId: machine?.providerId ?? null,
    cluster: fleet.name,
    pool: node.pool,
    cloud: instanceType.cloud,
    region,
    zone,
    instanceType: instanceType.name,
    capacityType,
    phase: node.phase,
    pricePerHourMicro,
    currency: fleet.currency,
    askedAt: node.askedAtMs,
    readyAt: node.readyAtMs,
    allocatable,
    setAside: { cpuMilli: sum('cpuMilli'), memoryBytes: sum('memoryBytes'), gpuMilli: sum('gpuMilli') },
    replicas,
    message: messageOf(fleet, node, machine),
  };
}

/** Why it goes, what its provider says, or why it is there. */
function messageOf(fleet: Fleet, node: FleetNode, machine: NodeObservation | null): string {
  if (node.going) return goingSentence(node.going.reason);
  if (machine?.message) return machine.message;
  const reason = fleet.why.get(node.id);
  return reason ? fleetSentence(reason) : '';
}
