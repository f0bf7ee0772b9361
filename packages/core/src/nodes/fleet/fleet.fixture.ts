import type { NodeObservation } from '../../ports/provider.ts';
import type { ConsolidationPool } from '../consolidation/types.ts';
import { machine, noLimits, nvidia, plainSettings, pod, pool } from '../placement/placement.fixture.ts';
import type { PlacementPod, PlacementPool } from '../placement/types.ts';
import { fleetStep } from './fleetStep.ts';
import type {
  FleetAction,
  FleetMemory,
  FleetNode,
  FleetObservation,
  FleetOutcome,
  FleetPod,
  FleetPool,
  FleetSpec,
} from './types.ts';

export const minuteMs = 60_000;
export const sold = {
  small: { type: machine('small', 2, 8), price: 0.1 },
  medium: { type: machine('medium', 4, 16), price: 0.2 },
  large: { type: machine('large', 8, 32), price: 0.4 },
  gpu: { type: machine('gpu', 8, 32, nvidia('A10G', 1, 24)), price: 1 },
};

/** A pool of which nodes start in two minutes and go after one quiet minute. */
export function fleetPool(
  offered: PlacementPool,
  change: Partial<FleetPool> = {},
  rules: Partial<ConsolidationPool> = {},
): FleetPool {
  return {
    consolidation: {
      ...{ pool: { ...offered, startMs: 2 * minuteMs }, policy: 'WhenEmptyOrUnderutilized', delayMs: minuteMs },
      ...{ delayAfterScaleUpMs: 0, utilizationBelow: null, gpuUtilizationBelow: null, budgets: [] },
      ...{ minNodes: 0, warmSpares: 0, isSurgeAllowed: true },
      ...rules,
    },
    ...{ revision: 'r1', startTimeoutMs: 10 * minuteMs, expireAfterMs: null, terminationGraceMs: null, weight: 0 },
    ...{ repairAfterMs: 10 * minuteMs, spot: null },
    ...change,
  };
}

export const smallPool = () => pool('p', [sold.small]);

export function fleetSpec(pools: readonly FleetPool[], change: Partial<FleetSpec> = {}): FleetSpec {
  return {
    ...{ cluster: 'local', pools, settings: { ...plainSettings, limits: noLimits } },
    gain: { minPerHourMicro: 0, minShare: 0, paybackMs: 60 * minuteMs },
    ...{ idPrefix: 'local-1-', knownIdPrefixes: ['local-'], seed: 1, workUnits: 200, consolidateEveryMs: 10_000 },
    ...{ nameOrphansAfterMs: 5 * minuteMs, endOrphansAfterMs: null, isRemoved: false, declaredPods: [] },
    ...change,
  };
}

export function waiting(id: string, cores = 1, change: Partial<PlacementPod> = {}): FleetPod {
  const asked = pod(id, { cpuMilli: cores * 1000, ...change });
  return { pod: asked, bound: null, isLeaving: false, loadMs: 10_000, inFlight: 0, doNotDisrupt: false };
}

export function shown(node: FleetNode, change: Partial<NodeObservation> = {}): NodeObservation {
  const { instanceType, region, zone, capacityType } = node.offering;
  return {
    ...{ id: node.id, pool: node.pool, providerId: `i-${node.id}`, cluster: 'local', phase: 'ready', notice: null },
    offering: { cloud: instanceType.cloud, region, zone, instanceType: instanceType.name, capacityType },
    ...{ askedAtMs: node.askedAtMs, readyAtMs: null, message: '', failure: null },
    ...change,
  };
}

/** A fleet by hand: what was asked for is ready when `ready` says so; pods go where they are bound. */
export class Fleet {
  spec: FleetSpec;
  memory: FleetMemory | null = null;
  nowMs = 10_000_000;
  pods: FleetPod[] = [];
  machines: NodeObservation[] | null = [];
  /** Of others. */
  more: Pick<FleetObservation, 'others' | 'doNotDisrupt'> = {};
  last = fleetStep(fleetSpec([]), null, { nowMs: 0, machines: [], outcomes: [], pods: [] }, null);

  constructor(spec: FleetSpec) {
    this.spec = spec;
  }

  step(afterMs = 0, ...outcomes: FleetOutcome[]): readonly FleetAction[] {
    this.nowMs += afterMs;
    const { nowMs, machines, pods } = this;
    const observation: FleetObservation = { nowMs, machines, outcomes, pods, ...this.more };
    this.last = fleetStep(this.spec, this.memory, observation, null);
    this.memory = this.last.memory;
    for (const action of this.last.decision.actions) {
      if (action.type === 'bind') this.#move(action.pod, { node: action.node, place: action.place });
      if (action.type === 'unbind') this.#move(action.pod, null);
      if (action.type === 'terminate') this.machines = this.machines?.filter(({ id }) => id !== action.node) ?? null;
    }
    return this.last.decision.actions;
  }

  #move(id: string, bound: FleetPod['bound']): void {
    this.pods = this.pods.map((one) => (one.pod.id === id ? { ...one, bound } : one));
  }

  /** All nodes of the book are shown as ready. */
  ready(afterMs = minuteMs): readonly FleetAction[] {
    const nodes = this.memory?.nodes ?? [];
    this.machines = nodes.filter(({ phase }) => phase !== 'ending').map((node) => shown(node));
    return this.step(afterMs);
  }

  refused(code: Extract<FleetOutcome, { type: 'refused' }>['code'], id: string, retryAfterMs: number | null = null) {
    return this.step(1000, { type: 'refused', id, code, message: 'no', retryAfterMs });
  }

  get nodes(): FleetNode[] {
    return this.memory?.nodes ?? [];
  }

  node(index = 0): FleetNode {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  codes(): string[] {
    return this.last.decision.reasons.map(({ code }) => code);
  }
}

export const typesOf = (actions: readonly FleetAction[]): string[] => actions.map(({ type }) => type);
