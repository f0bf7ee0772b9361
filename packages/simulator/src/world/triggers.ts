import type { Reading, TriggerPort, TriggerRequest, TriggerSet } from '@ebb/core';
import type { KedaTriggerSpec } from '@ebb/documents';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimulatedClock } from '../kernel/simulatedClock.ts';
import { countedBy, type QueueCount } from './brokerCount.ts';
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
  workloadOf: (request: Pick<TriggerRequest, 'kind' | 'key'>) => number | null;
  /** The broker's queue that a workload's work waits in; null: the gateway has it. */
  queueOf: (workload: number) => QueueCount | null;
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
/** An empty queue of a broker is looked at so often, another one at each beat. */
const lookUs = 100_000;
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

/** A document that follows the queue of a broker. */
interface Look {
  follow: () => boolean;
  /** There was something at the last look. */
  isActive: boolean;
  isDue: boolean;
}

/**
 * Sources of a rehearsal. Where the work of what is scaled waits at a broker, a trigger reads that queue as the source of its
 * type counts. Else, whatever it reads in the real world, here it is the queue at the gateway, requests in service included,
 * as brokers count what is not yet acknowledged. Only `http`, Ebb's own, is what it is live: requests or arrivals in the mean
 * of a window, told when they change.
 */
export class QueueTriggers implements TriggerPort {
  readonly #options: QueueTriggersOptions;
  readonly #followers = new Set<() => boolean>();
  /** Places stay, because events name them. */
  readonly #pushed: (Pushed | null)[] = [];
  readonly #placesOf = new Map<number, number[]>();
  readonly #looks: Look[] = [];
  readonly #looksAt = new Map<number, number[]>();
  readonly #lookKind: number;
  readonly #newsKind: number;
  readonly #paceKind: number;

  constructor(options: QueueTriggersOptions) {
    this.#options = options;
    this.#newsKind = options.kernel.kind((index) => this.#tell(index));
    this.#paceKind = options.kernel.kind((index, life) => {
      if (this.#pushed[index]?.life === life) this.#tell(index);
    });
    this.#lookKind = options.kernel.kind((index) => {
      const look = this.#looks[index];
      if (!look) return;
      look.isDue = false;
      look.isActive = look.follow();
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

  /** A message came into the queue of this workload, or left it. */
  queueChanged(workload: number): void {
    const { kernel } = this.#options;
    for (const index of this.#looksAt.get(workload) ?? []) {
      const look = this.#looks[index];
      if (!look || look.isDue || look.isActive) continue;
      look.isDue = true;
      kernel.put(Math.ceil(kernel.nowUs / lookUs) * lookUs, this.#lookKind, index);
    }
  }

  open(request: TriggerRequest): TriggerSet {
    const { kernel, clock, targetOf, workloadOf, queueOf } = this.#options;
    const workload = workloadOf(request);
    const isQueue = workload !== null && queueOf(workload) !== null;
    const external = request.triggers.filter(({ type }) => type !== 'cpu' && type !== 'memory');
    const targets: Record<string, TriggerTarget> = {};
    for (const trigger of external) {
      const target = targetOf(trigger);
      if (!target)
        throw new Error(`trigger ${trigger.name} of type ${trigger.type} names no target that a rehearsal knows`);
      targets[trigger.name] = target;
    }
    const pushed = isQueue ? null : this.#push(workload, external);
    const values = external.map((trigger) =>
      isQueue ? this.#countOf(workload, trigger, request.env) : this.#valueOf(workload, trigger, pushed),
    );
    const readings = (): Reading[] => {
      const atMs = clock.nowMs();
      return external.map(({ name }, index) => {
        const value = values[index]?.() ?? 0;
        return { trigger: name, class: null, value, peak: null, spanMs: 0, atMs, state: 'ok' };
      });
    };
    const mine = new Set<() => boolean>();
    // What was said last, to whoever asked or listens: as live, only what differs from that is news.
    let told: string | null = null;
    return {
      targets,
      unsupported: [],
      read: () => {
        const said = readings();
        told = said.map(({ value }) => value).join(' ');
        return Promise.resolve(said);
      },
      watch: (listener) => {
        told = null;
        const follow = () => {
          const news = values.map((value) => value());
          const isActive = news.some((value) => value > 0);
          if (news.join(' ') === told) return isActive;
          told = news.join(' ');
          kernel.tell(() => listener(readings()));
          return isActive;
        };
        const look = isQueue ? this.#look(workload, follow) : null;
        if (pushed) pushed.tell = follow;
        else this.#followers.add(look ?? follow);
        mine.add(look ?? follow);
        (look ?? follow)();
        return () => this.#followers.delete(look ?? follow);
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

  /** Looks at a queue at each beat, and while it is empty soon after a change. */
  #look(workload: number, follow: () => boolean): () => boolean {
    const look: Look = { follow, isActive: false, isDue: false };
    const place = this.#looks.push(look) - 1;
    this.#looksAt.set(workload, [...(this.#looksAt.get(workload) ?? []), place]);
    return () => {
      look.isActive = follow();
      return look.isActive;
    };
  }

  #countOf(workload: number, trigger: KedaTriggerSpec, env: Readonly<Record<string, string>>): () => number {
    const count = countedBy(trigger, env);
    const { queueOf } = this.#options;
    return () => count(queueOf(workload) ?? { waiting: 0, unacknowledged: 0 });
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
