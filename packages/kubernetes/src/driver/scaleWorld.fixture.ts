import type { ReplicaObservation } from '@ebb/core';
import { settle, VirtualClock } from '@ebb/testing';
import { start, workload } from '../fake/webReplica.fixture.ts';
import type { PodView } from './pod.ts';
import { ScaleTarget } from './scaleTarget.ts';

/**
 * One scale target with everybody who acts on it, each only when told to: the controller that makes its pods, others who
 * end them, the watch that shows events in order but late, and an engine that plans at the end of the turn in which it
 * heard of something. Each count that is written is compared with what the engine wants in that moment.
 */
export class ScaleWorld {
  readonly clock = new VirtualClock();
  readonly writes: number[] = [];
  /** Counts that were written and are not what was wanted. */
  readonly wrong: string[] = [];
  readonly pods = new Map<string, PodView>();
  readonly engine = new Map<string, ReplicaObservation['phase']>();
  count: number;
  wanted: number;
  target: ScaleTarget;
  #decided: number;
  #version = 1;
  #serial = 0;
  #isPlanned = false;
  #bound: Record<string, string> = {};
  readonly #unseen: ((target: ScaleTarget) => void)[] = [];

  constructor(count: number) {
    this.count = count;
    this.wanted = count;
    this.#decided = count;
    this.control();
    this.#unseen.length = 0;
    this.target = this.lead();
  }

  /** Names of the pods that the controller counts. */
  live(): string[] {
    return [...this.pods.values()].filter(({ phase }) => phase === 'ready').map(({ name }) => name);
  }

  held(): string[] {
    return [...this.engine].filter(([, phase]) => isHeld(phase)).map(([id]) => id);
  }

  /** Another leader begins, with what the one before has saved. */
  lead(): ScaleTarget {
    this.#bound = { ...this.#bound, ...(this.target as ScaleTarget | undefined)?.bindings() };
    (this.target as ScaleTarget | undefined)?.close();
    this.engine.clear();
    this.#unseen.length = 0;
    const target: ScaleTarget = new ScaleTarget({
      clock: this.clock,
      workload,
      adopted: { class: 'default', revision: 'target' },
      isTaken: () => false,
      idOf: (uid) => this.#bound[uid] ?? null,
      tell: (replica) => this.target === target && this.#told(replica),
      bindingsChanged: () => {},
      log: () => {},
      actions: {
        readScale: async () => this.#scale(),
        writeScale: async (replicas) => {
          this.writes.push(replicas);
          if (replicas !== this.wanted) this.wrong.push(`${replicas} written, ${this.wanted} wanted`);
          this.count = replicas;
          this.#version++;
          return this.#scale();
        },
        setDeletionCost: async ({ name }, cost) => {
          this.#put(name, { deletionCost: cost === null ? null : String(cost) });
        },
        deletePod: async ({ name }) => this.end(name),
        mayWrite: () => this.target === target,
      },
    });
    this.target = target;
    target.observe(this.count, String(this.#version));
    for (const pod of this.pods.values()) target.podSeen(pod);
    this.#plan();
    return target;
  }

  /** What the engine wants from its next plan on, which is made at the end of this turn. */
  decide(replicas: number): void {
    this.#decided = replicas;
    this.#plan();
  }

  /** Somebody ends a pod, or it fails. */
  end(name: string, phase: 'stopping' | 'failed' = 'stopping'): void {
    this.#put(name, { phase });
  }

  remove(name: string): void {
    const pod = this.pods.get(name);
    this.pods.delete(name);
    if (pod) this.#unseen.push((target) => target.podGone(pod.uid));
  }

  /** The controller of the target makes what is missing and ends what is too much, as it stands now. */
  control(): void {
    const live = this.live().sort((left, right) => this.#costOf(left) - this.#costOf(right));
    for (const name of live.slice(0, Math.max(0, live.length - this.count))) this.end(name);
    for (let missing = this.count - live.length; missing > 0; missing--) {
      const name = `pod-${++this.#serial}`;
      this.pods.set(name, { ...newPod, name, uid: `uid-${name}`, createdAtMs: this.clock.nowMs() });
      this.#put(name, {});
    }
  }

  /** The watch shows the oldest of what has happened, in one turn; left out: all. */
  see(events = this.#unseen.length): void {
    for (const show of this.#unseen.splice(0, events)) show(this.target);
  }

  /** Ends the turn: the engine plans, and what it asks for is written. */
  async turn(): Promise<void> {
    await settle();
  }

  /** Nobody does anything new, until nothing changes any more. */
  async calm(): Promise<void> {
    for (let rounds = 0; rounds < 12; rounds++) {
      for (const [name, { phase }] of [...this.pods]) if (phase !== 'ready') this.remove(name);
      this.control();
      this.see();
      await this.clock.advance(4000);
    }
  }

  #told({ id, phase }: ReplicaObservation): void {
    if (phase === 'gone') this.engine.delete(id);
    else if (this.engine.get(id) !== 'stopping') this.engine.set(id, phase);
    // One that has failed is given up at once.
    if (phase === 'failed') void this.target.stop(id);
    this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    void Promise.resolve().then(() => {
      this.#isPlanned = false;
      this.wanted = this.#decided;
      const held = this.held();
      for (const id of held.slice(0, Math.max(0, held.length - this.wanted))) {
        this.engine.set(id, 'stopping');
        void this.target.stop(id);
      }
      for (let missing = this.wanted - held.length; missing > 0; missing--) {
        const id = `asked-${++this.#serial}`;
        this.engine.set(id, 'starting');
        void this.target.ensure(start(id));
      }
      this.target.planned(this.wanted);
    });
  }

  #put(name: string, change: Partial<PodView>): void {
    const pod = this.pods.get(name);
    if (!pod) return;
    const changed = { ...pod, ...change };
    this.pods.set(name, changed);
    this.#unseen.push((target) => target.podSeen(changed));
  }

  #costOf(name: string): number {
    return Number(this.pods.get(name)?.deletionCost ?? 0);
  }

  #scale() {
    return { replicas: this.count, resourceVersion: String(this.#version), selector: '' };
  }
}

function isHeld(phase: ReplicaObservation['phase']): boolean {
  return phase === 'starting' || phase === 'ready' || phase === 'unready';
}

const newPod = {
  namespace: 'default',
  node: 'node-0',
  ip: '10.0.0.1',
  port: 8080,
  phase: 'ready',
  readyAtMs: null,
  restarts: 0,
  message: '',
  failure: null,
  deletionCost: null,
} as const;
