import type { Clock, FleetNode } from '@ebb/core';
import { ApiServerError, isStatus, type KubernetesClient } from '../client/client.ts';
import { type KubernetesObject, objectName } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { clusterLabel, nodeLabel } from './labels.ts';
import { cordonedAnnotation, isCordoned } from './nodeState.ts';
import type { SeenNodes } from './nodesView.ts';
import { isNotToMove, isOfNode, isOver, priorityOf, systemPriority } from './podNeeds.ts';

export interface DrainerOptions {
  readonly client: Pick<KubernetesClient, 'evict' | 'delete' | 'mergePatch'>;
  readonly view: SeenNodes;
  readonly clock: Clock;
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

/** What a disruption budget does not allow now, or the API server refuses, is asked again after this. */
const againMs = 5_000;

/**
 * Empties nodes that go: nothing new is scheduled there, then pods are evicted as their disruption budgets allow, the system's own
 * last. Works from what the fleet's book says now, so that it goes on after a restart. Nodes that are not in the book, or do not carry
 * the cluster's mark, are never touched.
 */
export class Drainer {
  readonly #options: DrainerOptions;
  #book = new Map<string, FleetNode>();
  #cluster = '';
  /** Nodes whose grace is over: their pods end whatever their budgets say. */
  readonly #overdue = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #marking = new Set<string>();
  readonly #timers = new Map<string, () => void>();
  readonly #told = new Map<string, string>();

  constructor(options: DrainerOptions) {
    this.#options = options;
  }

  /** The fleet's book as it is now; `evict` has the nodes whose grace is over. */
  follow(cluster: string, book: readonly FleetNode[], evict: ReadonlySet<string>): void {
    this.#cluster = cluster;
    this.#book = new Map(book.map((node) => [node.id, node]));
    for (const id of evict) this.#overdue.add(id);
    for (const id of this.#overdue) if (!this.#book.get(id)?.going) this.#overdue.delete(id);
    for (const object of this.#options.view.nodes.list()) this.#consider(object);
  }

  /** How many pods have to leave before the node can end; it is closed to others from now on. */
  async close(id: string): Promise<number> {
    const object = this.#objectOf(id);
    if (!object) return 0;
    if (!isCordoned(object)) await this.#mark(object, true);
    return this.#left(object).length;
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#book.clear();
  }

  #consider(object: KubernetesObject): void {
    if (!this.#options.mayWrite() || object.labels[clusterLabel] !== this.#cluster) return;
    const node = this.#book.get(object.labels[nodeLabel] ?? '');
    if (!node) return;
    const goes = node.phase === 'draining' || node.phase === 'ending';
    if (!goes) {
      if (Object.hasOwn(object.annotations, cordonedAnnotation)) void this.#mark(object, false);
    } else if (!isCordoned(object)) void this.#mark(object, true);
    else this.#empty(node, object);
  }

  #empty(node: FleetNode, object: KubernetesObject): void {
    if (this.#isReplaced(node)) return;
    const left = this.#left(object);
    const isForced = this.#isForced(node);
    const own = left.filter((pod) => priorityOf(pod) < systemPriority);
    for (const pod of own.length > 0 ? own : left) {
      if (pod.deletedAtMs !== null || this.#asked.has(pod.uid)) continue;
      if (!isForced && isNotToMove(pod)) this.#note(pod, node, 'is to stay where it runs: its node waits for its end');
      else void this.#end(pod, node);
    }
  }

  /** Whether what was bought in its place is not there yet. A node that is taken does not wait. */
  #isReplaced({ id, going }: FleetNode): boolean {
    if (this.#overdue.has(id) || going?.reason.kind === 'interruption') return false;
    return [...this.#book.values()].some(
      ({ replaces, phase }) => replaces.includes(id) && (phase === 'asked' || phase === 'starting'),
    );
  }

  #isForced({ id, going }: FleetNode): boolean {
    const kind = going?.reason.kind;
    return this.#overdue.has(id) || kind === 'interruption' || kind === 'unready';
  }

  #left({ name }: KubernetesObject): KubernetesObject[] {
    return this.#options.view.podsOn(name).filter((pod) => !isOver(pod) && !isOfNode(pod));
  }

  async #end(pod: KubernetesObject, node: FleetNode): Promise<void> {
    const { client } = this.#options;
    this.#asked.add(pod.uid);
    try {
      if (this.#overdue.has(node.id)) await client.delete(resources.pods, pod, { uid: pod.uid });
      else await client.evict(pod, pod.uid);
      // Until its end is seen it is not asked again; one that nobody ends is, after a while.
      this.#again(pod, againMs * 6);
    } catch (error) {
      const isBudget = isStatus(error, 429);
      const message = error instanceof Error ? error.message : String(error);
      this.#note(pod, node, isBudget ? `may not leave yet: ${message}` : `could not be evicted: ${message}`);
      this.#again(pod, Math.max(againMs, error instanceof ApiServerError ? (error.retryAfterMs ?? 0) : 0));
    }
  }

  #again({ uid }: KubernetesObject, delayMs: number): void {
    const { clock, view } = this.#options;
    this.#timers.get(uid)?.();
    const cancel = clock.at(clock.nowMs() + delayMs, () => {
      this.#timers.delete(uid);
      this.#asked.delete(uid);
      for (const object of view.nodes.list()) this.#consider(object);
    });
    this.#timers.set(uid, cancel);
  }

  /** Closes the node to new pods, or opens it again where it was Ebb that had closed it. */
  async #mark(object: KubernetesObject, isClosed: boolean): Promise<void> {
    const { client, log } = this.#options;
    if (this.#marking.has(object.uid)) return;
    this.#marking.add(object.uid);
    try {
      await client.mergePatch(resources.nodes, object, {
        metadata: { annotations: { [cordonedAnnotation]: isClosed ? 'true' : null } },
        spec: { unschedulable: isClosed ? true : null },
      });
    } catch (error) {
      if (!isStatus(error, 404)) {
        log('warn', 'a node could not be closed to new pods', { node: object.name, error: String(error) });
        this.#again(object, againMs);
      }
    } finally {
      this.#marking.delete(object.uid);
    }
  }

  #objectOf(id: string): KubernetesObject | null {
    const isIt = ({ labels }: KubernetesObject) => labels[nodeLabel] === id && labels[clusterLabel] === this.#cluster;
    return this.#options.view.nodes.list().find(isIt) ?? null;
  }

  /** Each thing once for each pod. */
  #note(pod: KubernetesObject, { id }: FleetNode, what: string): void {
    if (this.#told.get(pod.uid) === what) return;
    if (this.#told.size > 1000) this.#told.clear();
    this.#told.set(pod.uid, what);
    this.#options.log('info', `a pod ${what}`, { pod: objectName(pod), node: id });
  }
}
