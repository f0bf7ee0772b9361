import type { Reading, TriggerPort, TriggerRequest, TriggerSet } from '@ebb/core';
import { keyText, type KedaTriggerSpec } from '@ebb/documents';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimulatedClock } from '../kernel/simulatedClock.ts';
import { RequestWindow } from './requestWindow.ts';

/** What is aimed at by a trigger, and the value from which it leaves zero. */
export interface TriggerTarget {
  target: number;
  activationTarget: number;
}

/** Reads a trigger's settings; null: they name no target. */
export type TargetOf = (trigger: KedaTriggerSpec) => TriggerTarget | null;

/** Names of the target in the settings of KEDA's scalers, and of the value from which each leaves zero. */
const targetNames: readonly (readonly [target: string, activation: string])[] = [
  ['targetValue', 'activationTargetValue'],
  ['lagThreshold', 'activationLagThreshold'],
  ['threshold', 'activationThreshold'],
  ['queueLength', 'activationQueueLength'],
  ['listLength', 'activationListLength'],
  ['targetQueryValue', 'activationTargetQueryValue'],
  ['targetQueueLength', 'activationTargetQueueLength'],
  ['messageCount', 'activationMessageCount'],
  ['targetPendingRequests', 'activationTargetPendingRequests'],
  ['pendingEntriesCount', 'activationPendingEntriesCount'],
  ['value', 'activationValue'],
];

export const targetFromSettings: TargetOf = ({ metadata }) => {
  for (const [target, activation] of targetNames) {
    const wanted = Number(metadata[target]);
    if (!(wanted > 0)) continue;
    const from = Number(metadata[activation] ?? 0);
    return { target: wanted, activationTarget: from >= 0 ? from : 0 };
  }
  return null;
};

export interface QueueTriggersOptions {
  kernel: Kernel;
  clock: SimulatedClock;
  targetOf: TargetOf;
  /** Number of the workload that a document scales; null: it scales none of the rehearsal. */
  workloadOf: (document: string) => number | null;
  /** Requests of a workload that wait or are worked on. */
  inSystem: (workload: number) => number;
  /** Requests of a workload that have arrived since the beginning. */
  arrived: (workload: number) => number;
}

/** The live engine tells a workload's counts at most this often, and the first change after a while at once. */
const newsGapUs = 100_000;
const leastDelayUs = 1000;
/** Means move while nothing happens: so long after it was last told, a value is looked at again. */
const paceUs = 1_000_000;
/** As the `http` trigger has it where the document says nothing. */
const usualWindowSeconds = 60;

/** A document with an `http` trigger: it hears of requests when they come. */
interface Pushed {
  workload: number;
  windows: RequestWindow[];
  /** Says what is new; false: all is zero, and stays so until a request comes. */
  tell: () => boolean;
  isDue: boolean;
  lastUs: number;
  /** How often it was told: a look that was planned before does not count any more. */
  life: number;
}

/**
 * Sources of a rehearsal: whatever a trigger reads in the real world, here it is the queue of the workload that it scales,
 * requests in service included, as brokers count what is not yet acknowledged. Only `http`, Ebb's own, is what it is live:
 * requests or arrivals in the mean of a window, told when they change.
 */
export class QueueTriggers implements TriggerPort {
  readonly #options: QueueTriggersOptions;
  readonly #followers = new Set<() => boolean>();
  /** Places stay, because events name them. */
  readonly #pushed: (Pushed | null)[] = [];
  readonly #placesOf = new Map<number, number[]>();
  readonly #newsKind: number;
  readonly #paceKind: number;

  constructor(options: QueueTriggersOptions) {
    this.#options = options;
    this.#newsKind = options.kernel.kind((index) => this.#tell(index));
    this.#paceKind = options.kernel.kind((index, life) => {
      if (this.#pushed[index]?.life === life) this.#tell(index);
    });
  }

  /** Time to look whether a followed source says something new. */
  beat(): void {
    for (const follow of this.#followers) follow();
  }

  /** A request of this workload came or went. */
  changed(workload: number): void {
    const { kernel, inSystem, arrived } = this.#options;
    for (const index of this.#placesOf.get(workload) ?? []) {
      const pushed = this.#pushed[index];
      if (!pushed) continue;
      for (const window of pushed.windows) window.changed(kernel.nowUs, inSystem(workload), arrived(workload));
      if (pushed.isDue) continue;
      pushed.isDue = true;
      kernel.put(Math.max(kernel.nowUs + leastDelayUs, pushed.lastUs + newsGapUs), this.#newsKind, index);
    }
  }

  open(request: TriggerRequest): TriggerSet {
    const { kernel, clock, targetOf, workloadOf } = this.#options;
    const workload = workloadOf(keyText(request.key));
    const external = request.triggers.filter(({ type }) => type !== 'cpu' && type !== 'memory');
    const targets: Record<string, TriggerTarget> = {};
    for (const trigger of external) {
      const target = targetOf(trigger);
      if (!target)
        throw new Error(`trigger ${trigger.name} of type ${trigger.type} names no target that a rehearsal knows`);
      targets[trigger.name] = target;
    }
    const pushed = this.#push(workload, external);
    const values = external.map((trigger) => this.#valueOf(workload, trigger, pushed));
    const readings = (): Reading[] => {
      const atMs = clock.nowMs();
      return external.map(({ name }, index) => {
        const value = values[index]?.() ?? 0;
        return { trigger: name, class: null, value, peak: null, spanMs: 0, atMs, state: 'ok' };
      });
    };
    const mine = new Set<() => boolean>();
    return {
      targets,
      unsupported: [],
      read: () => Promise.resolve(readings()),
      watch: (listener) => {
        let told: string | null = null;
        const follow = () => {
          const news = values.map((value) => value());
          const isActive = news.some((value) => value > 0);
          if (news.join(' ') === told) return isActive;
          told = news.join(' ');
          kernel.tell(() => listener(readings()));
          return isActive;
        };
        if (pushed) pushed.tell = follow;
        else this.#followers.add(follow);
        mine.add(follow);
        follow();
        return () => this.#followers.delete(follow);
      },
      close: async () => {
        for (const follow of mine) this.#followers.delete(follow);
        if (pushed) this.#pushed[this.#pushed.indexOf(pushed)] = null;
      },
    };
  }

  #tell(index: number): void {
    const pushed = this.#pushed[index];
    if (!pushed) return;
    const { kernel } = this.#options;
    pushed.isDue = false;
    pushed.lastUs = kernel.nowUs;
    pushed.life++;
    if (pushed.tell()) kernel.put(kernel.nowUs + paceUs, this.#paceKind, index, pushed.life);
  }

  /** Null where nothing of the document is pushed. */
  #push(workload: number | null, triggers: readonly KedaTriggerSpec[]): Pushed | null {
    if (workload === null || !triggers.some(({ type }) => type === 'http')) return null;
    const pushed = { workload, windows: [], tell: () => false, isDue: false, lastUs: -newsGapUs, life: 0 };
    const place = this.#pushed.push(pushed) - 1;
    this.#placesOf.set(workload, [...(this.#placesOf.get(workload) ?? []), place]);
    return pushed;
  }

  #valueOf(workload: number | null, { type, metadata }: KedaTriggerSpec, pushed: Pushed | null): () => number {
    const { kernel, inSystem, arrived } = this.#options;
    if (workload === null) return () => 0;
    if (type !== 'http' || !pushed) return () => inSystem(workload);
    const seconds = Number(metadata['window'] ?? usualWindowSeconds);
    const window = new RequestWindow(1000 * seconds, kernel.nowUs, inSystem(workload), arrived(workload));
    pushed.windows.push(window);
    const name = metadata['scalingMetric'] === 'requestRate' ? 'requestRate' : 'concurrency';
    return () => window.means(kernel.nowUs)[name];
  }
}
