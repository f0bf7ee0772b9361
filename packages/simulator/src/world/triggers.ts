import type { Reading, TriggerPort, TriggerRequest, TriggerSet } from '@ebb/core';
import { keyText, type KedaTriggerSpec } from '@ebb/documents';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimulatedClock } from '../kernel/simulatedClock.ts';

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
}

/**
 * Sources of a rehearsal: whatever a trigger reads in the real world, here it is the queue of the workload that it scales,
 * requests in service included, as brokers count what is not yet acknowledged.
 */
export class QueueTriggers implements TriggerPort {
  readonly #options: QueueTriggersOptions;
  readonly #followers = new Set<() => void>();

  constructor(options: QueueTriggersOptions) {
    this.#options = options;
  }

  /** Time to look whether a followed source says something new. */
  beat(): void {
    for (const follow of this.#followers) follow();
  }

  open(request: TriggerRequest): TriggerSet {
    const { kernel, clock, inSystem, targetOf, workloadOf } = this.#options;
    const workload = workloadOf(keyText(request.key));
    const external = request.triggers.filter(({ type }) => type !== 'cpu' && type !== 'memory');
    const targets: Record<string, TriggerTarget> = {};
    for (const trigger of external) {
      const target = targetOf(trigger);
      if (!target)
        throw new Error(`trigger ${trigger.name} of type ${trigger.type} names no target that a rehearsal knows`);
      targets[trigger.name] = target;
    }
    const value = () => (workload === null ? 0 : inSystem(workload));
    const readings = (): Reading[] => {
      const atMs = clock.nowMs();
      return external.map(({ name }) => {
        return { trigger: name, class: null, value: value(), peak: null, spanMs: 0, atMs, state: 'ok' };
      });
    };
    const mine = new Set<() => void>();
    return {
      targets,
      unsupported: [],
      read: () => Promise.resolve(readings()),
      watch: (listener) => {
        let told: number | null = null;
        const follow = () => {
          if (value() === told) return;
          told = value();
          kernel.tell(() => listener(readings()));
        };
        this.#followers.add(follow);
        mine.add(follow);
        follow();
        return () => this.#followers.delete(follow);
      },
      close: async () => {
        for (const follow of mine) this.#followers.delete(follow);
      },
    };
  }
}
