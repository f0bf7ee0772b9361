import type {
  Clock,
  FleetDecision,
  FleetMemory,
  FleetNode,
  FleetPod,
  FleetSpec,
  GpuSharing,
  NodeReserve,
  PlacedPod,
  PlacementNode,
  PlacementPod,
  PlacementPool,
  Requirement,
} from '@ebb/core';
import type { Guests } from '@ebb/engine';
import type { KubernetesObject } from '../client/objects.ts';
import { overheadOf } from './daemons.ts';
import type { Drainer } from './drainer.ts';
import { gpuPlaces } from './gpuPlaces.ts';
import { clusterLabel, instanceTypeLabel, nodeLabel } from './labels.ts';
import { foreignNode, hasRoom, isCordoned, isNotToDisrupt, isReady } from './nodeState.ts';
import type { SeenNodes } from './nodesView.ts';
import { isNotToMove, isOfNode, isOver, isUnschedulable, type PodNeeds, podNeeds } from './podNeeds.ts';

export interface ClusterGuestsOptions {
  readonly view: SeenNodes;
  readonly clock: Clock;
  readonly drainer: Drainer;
  onDecided?(): void;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

/** A pod that Ebb found a node for and the scheduler does not put there, though it is ready, is looked at again after this. */
const patienceMs = 10_000;
/** After so many kinds of node that the scheduler would not have, a pod is left alone for a while. */
const mostRefusals = 3;
const restMs = 600_000;
/** Room on nodes of others that came this lately may not have been seen by the scheduler. */
const freshMs = 5_000;
/** What a pod takes until it answers, for what a move costs. Nothing is known of it. */
const loadMs = 30_000;

interface Nomination {
  node: string;
  place: PlacedPod;
  /** Since when its node is ready and it is not there. */
  overdueFromMs: number | null;
}

/** Kinds of node on which the scheduler would not put a pod that placement put there. */
interface Refused {
  types: Set<string>;
  restsUntilMs: number | null;
}

/**
 * The pods of a cluster as a fleet sees them: what runs on the nodes that Ebb made, and what the scheduler has no place for.
 * Where a pod runs is the scheduler's to say: a place that the fleet chose is a hope until then, and one that stays empty is given up.
 */
export class ClusterGuests implements Guests {
  readonly #options: ClusterGuestsOptions;
  readonly #nominations = new Map<string, Nomination>();
  readonly #refused = new Map<string, Refused>();
  readonly #needs = new WeakMap<KubernetesObject, PodNeeds>();
  readonly #listeners = new Set<(what: 'pods' | 'overhead') => void>();
  readonly #roomSinceMs = new Map<string, { key: string; atMs: number }>();
  readonly #told = new Set<string>();
  readonly #unlisten: () => void;
  #cancel: (() => void) | null = null;
  #isTellingDue = false;
  #waitingCount = 0;

  constructor(options: ClusterGuestsOptions) {
    this.#options = options;
    this.#unlisten = options.view.listen((kind) => {
      if (kind === 'daemonSet') this.#tell('overhead');
      else if (kind === 'pod' || kind === 'node') this.#tell('pods');
    });
  }

  /** Pods that had neither a place nor a node that is being made for them when they were last looked at. */
  get waiting(): number {
    return this.#waitingCount;
  }

  observe({ cluster, pools }: FleetSpec, memory: FleetMemory | null): ReturnType<Guests['observe']> {
    const { view, clock } = this.#options;
    const nowMs = clock.nowMs();
    const nodes = new Map((memory?.nodes ?? []).map((node) => [node.id, node]));
    const pods: FleetPod[] = [];
    const others: PlacementNode[] = [];
    const doNotDisrupt: string[] = [];
    const objects = new Map<string, KubernetesObject>();
    const listed = view.nodes.list();
    this.#forgetRoom(listed);
    const sharing = new Map(pools.map(({ consolidation: { pool } }) => [pool.name, pool.sharing]));
    for (const object of listed) {
      const id = object.labels[clusterLabel] === cluster ? object.labels[nodeLabel] : undefined;
      const node = id === undefined ? undefined : nodes.get(id);
      const there = view.podsOn(object.name).filter((pod) => !isOver(pod));
      if (node) {
        objects.set(node.id, object);
        if (isNotToDisrupt(object)) doNotDisrupt.push(node.id);
        const own = there.filter((pod) => !isOfNode(pod));
        pods.push(...this.#bound(node, sharing.get(node.pool) ?? { kind: 'none' }, own));
      } else if (isReady(object) && !isCordoned(object) && this.#isFresh(object, there, nowMs)) {
        others.push(
          foreignNode(
            object,
            there.map((pod) => this.#needsOf(pod).pod),
            cluster,
          ),
        );
      }
    }
    const waiting = this.#waiting(nodes, objects, nowMs);
    this.#wakeLater(nowMs, others.length > 0);
    this.#waitingCount = waiting.filter(({ bound }) => bound === null).length;
    return { pods: [...pods, ...waiting], others, doNotDisrupt };
  }

  decided(cluster: string, { actions, reasons }: FleetDecision, memory: FleetMemory): void {
    for (const action of actions) {
      if (action.type === 'bind') {
        this.#waitingCount--;
        this.#nominations.set(action.pod, { node: action.node, place: action.place, overdueFromMs: null });
      } else if (action.type === 'unbind') this.#nominations.delete(action.pod);
    }
    for (const reason of reasons) {
      if (reason.code !== 'unplaceable') continue;
      this.#note(`no pool has a place for ${reason.pods.length} pods: ${reason.reason.kind}`, {
        pods: reason.pods.slice(0, 5),
      });
    }
    const evict = new Set(actions.flatMap((action) => (action.type === 'evict' ? [action.node] : [])));
    this.#options.drainer.follow(cluster, memory.nodes, evict);
    this.#options.onDecided?.();
  }

  overheadOf(pool: PlacementPool): NodeReserve {
    return overheadOf(pool, this.#options.view.daemonSets.list());
  }

  watch(listener: (what: 'pods' | 'overhead') => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unlisten();
    this.#listeners.clear();
    this.#cancel?.();
  }

  #bound(node: FleetNode, sharing: GpuSharing, there: readonly KubernetesObject[]): FleetPod[] {
    const needs = there
      .map((object) => ({ object, pod: this.#needsOf(object).pod }))
      .sort(
        (left, right) => left.object.createdAtMs - right.object.createdAtMs || (left.pod.id < right.pod.id ? -1 : 1),
      );
    const { gpu } = node.offering.instanceType;
    const places = gpuPlaces(
      gpu,
      sharing,
      needs.map(({ pod }) => pod),
    );
    return needs.map(({ object, pod }) => {
      this.#forget(pod.id);
      const place = places.get(pod.id) ?? { id: pod.id, gpus: [], instances: [] };
      const isLeaving = object.deletedAtMs !== null;
      return {
        pod,
        bound: { node: node.id, place },
        isLeaving,
        loadMs,
        inFlight: 0,
        doNotDisrupt: isNotToMove(object),
      };
    });
  }

  #waiting(
    nodes: ReadonlyMap<string, FleetNode>,
    objects: ReadonlyMap<string, KubernetesObject>,
    nowMs: number,
  ): FleetPod[] {
    const present = new Set<string>();
    const waiting: FleetPod[] = [];
    for (const object of this.#options.view.unbound()) {
      if (!isUnschedulable(object)) continue;
      const needs = this.#needsOf(object);
      const { id } = needs.pod;
      present.add(id);
      if (needs.problem !== null) {
        this.#note(`no machine is bought for ${id}: ${needs.problem}`);
        continue;
      }
      const bound = this.#nominationOf(needs.pod, nodes, objects, nowMs);
      const refused = this.#refused.get(id);
      if (bound === null && refused?.restsUntilMs != null && refused.restsUntilMs > nowMs) continue;
      const pod = { ...needs.pod, requirements: [...needs.pod.requirements, ...notAgain(refused)] };
      waiting.push({
        pod,
        bound,
        isLeaving: false,
        loadMs,
        inFlight: 0,
        doNotDisrupt: isNotToMove(object),
      });
    }
    for (const id of [...this.#nominations.keys(), ...this.#refused.keys()]) if (!present.has(id)) this.#forget(id);
    return waiting.sort((left, right) => (left.pod.id < right.pod.id ? -1 : 1));
  }

  /** Where the fleet means the pod to go, unless the scheduler has had its time to put it there. */
  #nominationOf(
    pod: PlacementPod,
    nodes: ReadonlyMap<string, FleetNode>,
    objects: ReadonlyMap<string, KubernetesObject>,
    nowMs: number,
  ): FleetPod['bound'] {
    const { id } = pod;
    const nomination = this.#nominations.get(id);
    if (!nomination) return null;
    const node = nodes.get(nomination.node);
    const isOverdue = node?.phase === 'ready' && nomination.overdueFromMs !== null && nomination.overdueFromMs <= nowMs;
    if (node?.phase === 'ready') nomination.overdueFromMs ??= nowMs + patienceMs;
    if (node?.phase === 'ready' && !this.#hasRoom(objects.get(node.id), pod)) {
      // Somebody else was put there first.
      this.#nominations.delete(id);
      return null;
    }
    if (!node || !isOverdue) return { node: nomination.node, place: nomination.place };
    this.#nominations.delete(id);
    const type = node.offering.instanceType.name;
    const refused = this.#refused.get(id) ?? { types: new Set<string>(), restsUntilMs: null };
    refused.types.add(type);
    this.#refused.set(id, refused);
    if (refused.types.size >= mostRefusals) {
      refused.restsUntilMs = nowMs + restMs;
      refused.types.clear();
    }
    const how = refused.restsUntilMs === null ? 'another kind is looked for' : 'it is left alone for ten minutes';
    this.#note(`the scheduler does not put ${id} on ${node.id} (${type}): ${how}`);
    return null;
  }

  /** Whether the node, as it is, could take the pod beside what runs there. */
  #hasRoom(object: KubernetesObject | undefined, pod: PlacementPod): boolean {
    if (!object) return true;
    const there = this.#options.view.podsOn(object.name).filter((one) => !isOver(one));
    return hasRoom(
      object,
      there.map((one) => this.#needsOf(one).pod),
      pod,
    );
  }

  /** Whether a node of others has come, or has got room, so lately that the scheduler may not have seen it. */
  #isFresh({ name }: KubernetesObject, there: readonly KubernetesObject[], nowMs: number): boolean {
    const key = there
      .map(({ uid }) => uid)
      .sort()
      .join();
    const known = this.#roomSinceMs.get(name);
    if (known?.key === key) return nowMs - known.atMs < freshMs;
    // More pods than before is no room.
    const hasMore = known !== undefined && key.length > known.key.length;
    const atMs = hasMore ? known.atMs : nowMs;
    this.#roomSinceMs.set(name, { key, atMs });
    return nowMs - atMs < freshMs;
  }

  /** Nothing is kept of nodes that are gone: their names do not come again. */
  #forgetRoom(listed: readonly KubernetesObject[]): void {
    const names = new Set(listed.map(({ name }) => name));
    for (const name of this.#roomSinceMs.keys()) if (!names.has(name)) this.#roomSinceMs.delete(name);
  }

  #needsOf(object: KubernetesObject): PodNeeds {
    const known = this.#needs.get(object);
    if (known) return known;
    const needs = podNeeds(object);
    this.#needs.set(object, needs);
    return needs;
  }

  #forget(id: string): void {
    this.#nominations.delete(id);
    this.#refused.delete(id);
  }

  /** When time alone changes what is observed. */
  #wakeLater(nowMs: number, hasFresh: boolean): void {
    const times = [
      ...[...this.#nominations.values()].flatMap(({ overdueFromMs }) => overdueFromMs ?? []),
      ...[...this.#refused.values()].flatMap(({ restsUntilMs }) => restsUntilMs ?? []),
      ...(hasFresh ? [nowMs + freshMs] : []),
    ].filter((atMs) => atMs > nowMs);
    this.#cancel?.();
    this.#cancel = null;
    if (times.length === 0) return;
    this.#cancel = this.#options.clock.at(Math.min(...times), () => this.#tell('pods'));
  }

  /** Once for all that happens in one turn. */
  #tell(what: 'pods' | 'overhead'): void {
    if (what === 'pods') {
      if (this.#isTellingDue) return;
      this.#isTellingDue = true;
      queueMicrotask(() => {
        this.#isTellingDue = false;
        for (const listener of [...this.#listeners]) listener('pods');
      });
      return;
    }
    for (const listener of [...this.#listeners]) listener(what);
  }

  /** Each thing once. */
  #note(message: string, data: Record<string, unknown> = {}): void {
    if (this.#told.has(message)) return;
    if (this.#told.size > 1000) this.#told.clear();
    this.#told.add(message);
    this.#options.log('warn', message, data);
  }
}

function notAgain(refused: Refused | undefined): Requirement[] {
  if (!refused || refused.types.size === 0) return [];
  return [{ key: instanceTypeLabel, operator: 'NotIn', values: [...refused.types] }];
}
