import type { Clock, TriggerPort, TriggerRequest, TriggerSet } from '@ebb/core';
import type { KubernetesObject } from '../client/objects.ts';
import { objectName } from '../client/objects.ts';
import type { InformerEvent } from '../informer/informer.ts';
import { hpaOfClaim, hpaReadings, hpaTargets, writtenHpa } from './hpaDocument.ts';

export interface HpaTriggersOptions {
  readonly clock: Clock;
  /** Opens every other trigger. */
  readonly inner: TriggerPort;
  find(at: { namespace: string; name: string }): KubernetesObject | null;
}

/** Triggers of HPAs: their controller has read the metrics, and each new status of theirs is news. Nothing is asked for. */
export class HpaTriggers implements TriggerPort {
  readonly #options: HpaTriggersOptions;
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(options: HpaTriggersOptions) {
    this.#options = options;
  }

  onEvent({ type, object }: InformerEvent): void {
    if (type !== 'put' || object.kind !== 'HorizontalPodAutoscaler') return;
    for (const tell of this.#listeners.get(objectName(object)) ?? []) tell();
  }

  open(request: TriggerRequest): TriggerSet {
    const { find, inner, clock } = this.#options;
    const name = request.kind === 'ScaledObject' ? hpaOfClaim(request.key.name) : null;
    const at = { namespace: request.key.namespace, name: name ?? '' };
    const first = name === null ? null : find(at);
    if (!first) return inner.open(request);
    const read = () => {
      const object = find(at);
      return object ? hpaReadings(object, writtenHpa(object), clock.nowMs()) : [];
    };
    return {
      targets: hpaTargets(writtenHpa(first)),
      unsupported: [],
      read: async () => read(),
      watch: (listener) => {
        const tell = () => listener(read());
        const key = objectName(at);
        const listeners = this.#listeners.get(key) ?? new Set();
        this.#listeners.set(key, listeners.add(tell));
        queueMicrotask(tell);
        return () => {
          listeners.delete(tell);
          if (listeners.size === 0) this.#listeners.delete(key);
        };
      },
      close: async () => {},
    };
  }
}
