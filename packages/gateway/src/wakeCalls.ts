import type { Dispatcher } from '@ebb/core';
import { nowUs } from './clock.ts';
import type { Send } from './events.ts';
import type { ServedWorkload } from './servedWorkload.ts';

/**
 * Wakes the control plane: once for the first request that waits where no replica can take it, for each class, until
 * nothing waits for that class any more. The counts tell of the others.
 */
export class WakeCalls {
  readonly #gateway: string;
  readonly #dispatcher: Dispatcher;
  readonly #send: Send;
  #pending: { workload: ServedWorkload; class: string }[] = [];

  constructor(gateway: string, dispatcher: Dispatcher, send: Send) {
    this.#gateway = gateway;
    this.#dispatcher = dispatcher;
    this.#send = send;
  }

  /** A request of the workload was held where there is no replica. */
  note(workload: ServedWorkload): void {
    const { woken } = workload;
    if (woken.size === workload.spec.classes.length) return;
    for (const [name, { held }] of this.#classes(workload)) {
      if (held === 0 || woken.has(name)) continue;
      woken.add(name);
      this.#pending.push({ workload, class: name });
    }
  }

  /** A request of the workload waits no more. */
  forget(workload: ServedWorkload): void {
    const { woken, held } = workload;
    if (held.size === 0) woken.clear();
    else if (woken.size > 1)
      for (const [name, numbers] of this.#classes(workload)) if (numbers.held === 0) woken.delete(name);
  }

  /** Calls what was noted, in the same turn; true when there was anything. */
  flush(): boolean {
    const pending = this.#pending.splice(0);
    for (const { workload, class: className } of pending) this.#call(workload, className);
    return pending.length > 0;
  }

  /** For a control plane that has just come. */
  callAgain(workload: ServedWorkload): void {
    for (const [name] of this.#classes(workload)) this.#call(workload, name);
  }

  #call(workload: ServedWorkload, className: string): void {
    const held = this.#classes(workload).find(([name]) => name === className)?.[1].held ?? 0;
    if (held === 0) return;
    let heldAtUs = nowUs();
    for (const flight of workload.held) heldAtUs = Math.min(heldAtUs, flight.heldSinceUs ?? heldAtUs);
    this.#send({ type: 'wake', gateway: this.#gateway, workload: workload.key, class: className, held, heldAtUs });
  }

  #classes(workload: ServedWorkload) {
    return Object.entries(this.#dispatcher.counts(nowUs(), workload.key)?.classes ?? {});
  }
}
