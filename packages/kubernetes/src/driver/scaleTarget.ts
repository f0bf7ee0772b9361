import type { Clock, ReplicaObservation, ReplicaStart } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import { notLeading, type Scale } from '../client/client.ts';
import { isLive, type PodView } from './pod.ts';
import { hasLivePod, isCounted, newSlot, observationOf, type Slot } from './slots.ts';
import { type ExternalChange, ScaleCount } from './scaleCount.ts';

/** What a target is acted on through. */
export interface TargetActions {
  readScale(): Promise<Scale>;
  /** Rejects with status 409 where the version is stale. */
  writeScale(replicas: number, resourceVersion: string): Promise<Scale>;
  /** Says which pods a ReplicaSet gives up first; null takes the mark away. Left out: this kind does not look at it. */
  setDeletionCost?(pod: PodView, cost: number | null): Promise<void>;
  deletePod(pod: PodView): Promise<void>;
  /** Whether this process leads. */
  mayWrite(): boolean;
}

export interface ScaleTargetOptions {
  readonly clock: Clock;
  readonly workload: ObjectKey;
  /** Replicas that were there before: their class, and the revision that every replica of the target has. */
  readonly adopted: { readonly class: string; readonly revision: string };
  readonly actions: TargetActions;
  /** Id that a pod was bound to by an earlier engine; null: none. */
  idOf(podUid: string): string | null;
  /** Whether a replica of another target has that id. */
  isTaken(id: string): boolean;
  tell(replica: ReplicaObservation): void;
  /** Pods were bound or given up. */
  bindingsChanged(): void;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

const marksAtOnce = 20;
const firstToGo = -1000;

/**
 * The replicas of one scale target. What the engine asks for in one turn becomes one write of the count; which pod a
 * replica is, is found out afterwards. A count is written because the engine has asked for something, never because of
 * what was seen.
 */
export class ScaleTarget {
  readonly #options: ScaleTargetOptions;
  readonly #slots = new Map<string, Slot>();
  readonly #byPod = new Map<string, Slot>();
  /** Pods that no replica has been made of: surplus of a roll-out, and pods on their way out. */
  readonly #free = new Map<string, PodView>();
  readonly #count: ScaleCount;
  /**
   * Pods that others have ended since the engine last said how many it wants. It has been told of each and has not planned with it
   * yet: until it has, they are no reason to lower the count. What it asks for next is the whole number, and no place is added to it.
   */
  #vacancies = 0;
  /** How many the engine meant to be there at its latest plan; Infinity: it has not said. */
  #planned = Infinity;
  #flush: Promise<void> | null = null;
  #again: PromiseWithResolvers<void> | null = null;
  #released = false;

  constructor(options: ScaleTargetOptions) {
    this.#options = options;
    this.#count = new ScaleCount(options.clock, options.actions);
  }

  get replicas(): number | null {
    return this.#count.replicas;
  }

  /** The latest change of the count by others; null: there was none. */
  get external(): ExternalChange | null {
    return this.#count.external;
  }

  list(): ReplicaObservation[] {
    const accepted = [...this.#slots.values()].filter(({ told }) => told !== '');
    return accepted.map((slot) => observationOf(slot, this.#options.workload));
  }

  /** Pod UIDs with the ids of their replicas. */
  bindings(): Record<string, string> {
    return Object.fromEntries([...this.#byPod].map(([uid, slot]) => [uid, slot.id]));
  }

  /** Resolves once the count that has it is written. */
  ensure(start: ReplicaStart): Promise<void> {
    const known = this.#slots.get(start.id);
    if (!known) {
      const { clock } = this.#options;
      const slot = newSlot(start, { atMs: clock.nowMs(), atUs: clock.nowUs() });
      this.#slots.set(slot.id, slot);
      this.#vacancies = 0;
      // Nothing becomes a replica of its own in the middle of what the engine asks for: it was told of all that is there.
      this.#bindWaiting();
    }
    // Nothing is told of it before it is accepted: what is not may be asked for again.
    return this.#write();
  }

  stop(id: string): Promise<void> {
    const slot = this.#slots.get(id);
    if (!slot || slot.leaving) return slot?.leaving === 'asked' ? this.#write() : Promise.resolve();
    // Of one whose pod has ended the engine says so at once, before it has planned what is to be there instead.
    if (!slot.outgoing) this.#vacancies = 0;
    if (slot.pod === null || slot.pod.phase === 'failed') {
      // A pod that has failed counts no more for its controller, and is left for people to look at.
      this.#forget(slot);
      return this.#write();
    }
    slot.leaving = slot.outgoing ? 'delete' : 'asked';
    this.#tell(slot);
    return this.#write();
  }

  /** The engine has planned with all that it was told: so many are to be there, and no place is kept beyond them. */
  planned(replicas: number): void {
    const before = this.#wanted();
    this.#planned = replicas;
    // A place that nobody asks to fill is given up now, before the controller has filled it.
    if (this.#wanted() >= before) return;
    const { log, workload } = this.#options;
    this.#write().catch((error: unknown) => {
      log('warn', 'count not written', { workload: workload.name, error: String(error) });
    });
  }

  /** The target says how many replicas it is to have. */
  observe(replicas: number, resourceVersion: string): void {
    const before = this.#count.replicas;
    if (!this.#count.observe(replicas, resourceVersion)) return;
    const { workload, log } = this.#options;
    if (before !== null) log('info', 'the count was changed by others', { workload: workload.name, before, replicas });
    this.#assign();
  }

  podSeen(pod: PodView): void {
    const slot = this.#byPod.get(pod.uid);
    if (!slot) {
      this.#free.set(pod.uid, pod);
      this.#assign();
      return;
    }
    slot.pod = pod;
    this.#noteReadiness(slot);
    if (isCounted(slot) && !isLive(pod)) this.#goes(slot);
    else this.#tell(slot);
    this.#assign();
  }

  podGone(uid: string): void {
    this.#free.delete(uid);
    const slot = this.#byPod.get(uid);
    if (slot) {
      if (slot.pod && isCounted(slot)) {
        slot.pod = { ...slot.pod, phase: 'stopping', message: 'the pod was deleted' };
        this.#goes(slot);
      }
      // By now another replica may have that pod.
      const ended = this.#byPod.get(uid);
      if (ended) this.#forget(ended);
    }
    this.#assign();
  }

  /** Everything stays as it is, and is another one's affair from now on. */
  release(): void {
    this.#released = true;
    for (const slot of [...this.#slots.values()]) {
      // Nothing has failed: it is given up.
      this.#options.tell(observationOf(slot, this.#options.workload, 'stopping'));
      this.#forget(slot);
    }
    this.#free.clear();
  }

  /** Nothing more is written or told. */
  close(): void {
    this.#released = true;
  }

  /** A pod of a replica that is to stay ends by others' hand. */
  #goes(slot: Slot): void {
    // The controller has chosen another pod than the one that was given up: they change places.
    const spared = [...this.#slots.values()].find((one) => one.leaving === 'scale' && hasLivePod(one));
    if (spared && slot.pod && spared.pod && slot.pod.phase === 'stopping') {
      const going = slot.pod;
      this.#bind(slot, spared.pod);
      this.#bind(spared, going);
      if (slot.pod) void this.#mark([slot.pod], null);
      this.#tell(spared);
      this.#tell(slot);
      return;
    }
    slot.outgoing = true;
    this.#vacancies++;
    this.#tell(slot);
  }

  /** Gives pods to the replicas that wait for one; what is there besides and is meant to be becomes a replica. */
  #assign(): void {
    if (this.#released) return;
    const free = this.#bindWaiting();
    const replicas = this.#count.replicas ?? 0;
    const slots = [...this.#slots.values()];
    // The engine hears of it in this turn and plans after it: what takes the place of a pod that has gone needs no other one beside it.
    let meant = slots.filter((one) => hasLivePod(one) && (isCounted(one) || one.leaving === 'asked')).length;
    for (const pod of free) {
      if (meant >= replicas) break;
      this.#adopt(pod);
      meant++;
    }
  }

  /** Returns the pods that are left, the oldest first. */
  #bindWaiting(): PodView[] {
    if (this.#released) return [];
    const free = [...this.#free.values()].filter(isLive).sort(byAge);
    for (const slot of [...this.#slots.values()]) {
      if (slot.pod !== null || slot.leaving !== null) continue;
      const known = free.findIndex(({ uid }) => this.#options.idOf(uid) === slot.id);
      const [pod] = free.splice(Math.max(0, known), 1);
      if (!pod) break;
      this.#bind(slot, pod);
      this.#tell(slot);
    }
    return free;
  }

  #adopt(pod: PodView): void {
    const { adopted, idOf, isTaken } = this.#options;
    const bound = idOf(pod.uid);
    const known = bound !== null && !this.#slots.has(bound) ? bound : pod.name;
    // Pods of StatefulSets of one name have the same names in two namespaces.
    const id = isTaken(known) ? `${pod.namespace}.${pod.name}` : known;
    if (this.#slots.has(id)) return;
    // Times of objects are of other machines' clocks: none of what is there is of later than now.
    const atMs = Math.min(pod.createdAtMs, this.#options.clock.nowMs());
    const slot = newSlot({ id, ...adopted }, { atMs, atUs: null });
    this.#slots.set(id, slot);
    if (this.#vacancies > 0) this.#vacancies--;
    this.#bind(slot, pod);
    this.#tell(slot);
  }

  #bind(slot: Slot, pod: PodView): void {
    if (slot.pod && this.#byPod.get(slot.pod.uid) === slot) this.#byPod.delete(slot.pod.uid);
    this.#free.delete(pod.uid);
    slot.pod = pod;
    this.#byPod.set(pod.uid, slot);
    if (slot.askedAtUs !== null) slot.podAfterUs ??= Math.max(0, this.#options.clock.nowUs() - slot.askedAtUs);
    this.#noteReadiness(slot);
    this.#options.bindingsChanged();
  }

  #noteReadiness(slot: Slot): void {
    if (slot.pod?.phase !== 'ready') {
      slot.readyAtMs = null;
      slot.readyAtUs = null;
    } else if (slot.readyAtMs === null) {
      const { clock } = this.#options;
      // Seen from the beginning, its own moment is finer than the second of the condition.
      const isFollowed = slot.askedAtUs !== null || slot.wasReady;
      const saidMs = isFollowed ? null : slot.pod.readyAtMs;
      slot.readyAtMs = Math.max(slot.askedAtMs, Math.min(saidMs ?? Infinity, clock.nowMs()));
      slot.readyAtUs = isFollowed ? clock.nowUs() : null;
      slot.wasReady = true;
    }
  }

  #forget(slot: Slot): void {
    this.#slots.delete(slot.id);
    if (slot.pod) {
      this.#byPod.delete(slot.pod.uid);
      this.#options.bindingsChanged();
    }
    this.#options.tell(observationOf(slot, this.#options.workload, 'gone'));
  }

  #tell(slot: Slot): void {
    const observation = observationOf(slot, this.#options.workload);
    const text = JSON.stringify(observation);
    if (text === slot.told) return;
    slot.told = text;
    this.#options.tell(observation);
  }

  /**
   * What the engine holds on to: a pod that has gone since its latest plan is none less, and one that was found since then is none
   * more.
   */
  #wanted(): number {
    const counted = [...this.#slots.values()].filter(isCounted).length;
    return Math.min(this.#planned, counted + this.#vacancies);
  }

  /** One write at a time, and one for everything that was asked in a turn. */
  #write(): Promise<void> {
    if (this.#again) return this.#again.promise;
    const again = Promise.withResolvers<void>();
    this.#again = again;
    // Whoever asked may not be there any more to hear of a failure.
    again.promise.catch(() => {});
    const before = this.#flush ?? Promise.resolve();
    this.#flush = before
      .catch(() => {})
      .then(() => {
        this.#again = null;
        return this.#act();
      });
    this.#flush.then(again.resolve, again.reject);
    return again.promise;
  }

  async #act(): Promise<void> {
    if (this.#released) return;
    const { actions } = this.#options;
    if (!actions.mayWrite()) throw notLeading();
    await this.#count.known();
    const wanted = this.#wanted();
    const given = [...this.#slots.values()].filter(({ leaving }) => leaving === 'asked');
    this.#count.mayChange(wanted);
    const drop = Math.max(0, (this.#count.replicas ?? 0) - wanted);
    const byScale = given.slice(0, drop);
    const replaced = given.slice(drop);
    for (const slot of byScale) slot.leaving = 'scale';
    try {
      // Where none is to stay there is nothing to choose.
      if (wanted > 0)
        await this.#mark(
          byScale.flatMap(({ pod }) => pod ?? []),
          firstToGo,
        );
      if (!actions.mayWrite()) throw notLeading();
      await this.#count.write(() => this.#wanted());
      for (const slot of this.#slots.values()) if (slot.told === '') this.#tell(slot);
    } catch (error) {
      for (const slot of byScale) if (slot.leaving === 'scale') slot.leaving = 'asked';
      throw error;
    }
    for (const slot of replaced) {
      if (!slot.pod || slot.leaving !== 'asked') continue;
      slot.leaving = 'delete';
      try {
        await actions.deletePod(slot.pod);
      } catch (error) {
        slot.leaving = 'asked';
        throw error;
      }
    }
  }

  async #mark(pods: readonly PodView[], cost: number | null): Promise<void> {
    const { actions, log } = this.#options;
    const set = actions.setDeletionCost;
    if (!set) return;
    const left = pods.filter(({ deletionCost }) => deletionCost !== (cost === null ? null : String(cost)));
    const work = async () => {
      for (let pod = left.pop(); pod; pod = left.pop()) {
        try {
          await set(pod, cost);
        } catch (error) {
          // The controller then chooses by itself, which is noticed.
          log('warn', 'a pod could not be marked', { pod: pod.name, error: String(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: marksAtOnce }, work));
  }
}

function byAge(left: PodView, right: PodView): number {
  return left.createdAtMs - right.createdAtMs || (left.name < right.name ? -1 : 1);
}
