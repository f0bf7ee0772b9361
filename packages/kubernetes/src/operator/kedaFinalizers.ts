import type { Clock } from '@ebb/core';
import { Backoff } from '../client/backoff.ts';
import { isStatus, type KubernetesClient, type NamedObject } from '../client/client.ts';
import { unmetWaitMs } from '../client/missingPermission.ts';
import { type KubernetesObject, objectName } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { listAt } from '../client/values.ts';
import type { InformerEvent } from '../informer/informer.ts';

/** KEDA puts it on what it has seen (pkg/scaling and controllers/keda), and takes it off when that is deleted. */
const finalizer = 'finalizer.keda.sh';
/** A KEDA that runs has taken it off by then. */
const waitMs = 5000;

interface Followed {
  list(): KubernetesObject[];
  get(at: NamedObject): KubernetesObject | null;
}

export interface KedaFinalizersOptions {
  readonly client: Pick<KubernetesClient, 'mergePatch' | 'random'>;
  readonly clock: Clock;
  readonly view: { readonly scaledObjects: Followed; readonly scaledJobs: Followed };
  /** Whether Ebb and nobody else decides on it. */
  isInCharge(object: KubernetesObject): boolean;
  /** Whether this process leads. */
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

/**
 * ScaledObjects and ScaledJobs that are deleted while KEDA is switched off would stay for ever: its finalizer is on them. Where Ebb is in
 * charge it takes that one off, and no other. What is to be put back then, the reconciler has done when the deletion was asked for.
 */
export class KedaFinalizers {
  readonly #options: KedaFinalizersOptions;
  /** By UID, of what is waited for. */
  readonly #timers = new Map<string, () => void>();
  #closed = false;

  constructor(options: KedaFinalizersOptions) {
    this.#options = options;
  }

  /** Looks at what was deleted before. */
  begin(): void {
    const { scaledObjects, scaledJobs } = this.#options.view;
    for (const object of [...scaledObjects.list(), ...scaledJobs.list()]) this.#seen(object);
  }

  onEvent({ type, object }: InformerEvent): void {
    if (object.kind !== 'ScaledObject' && object.kind !== 'ScaledJob') return;
    if (type === 'put') this.#seen(object);
    else this.#forget(object.uid);
  }

  close(): void {
    this.#closed = true;
    for (const uid of [...this.#timers.keys()]) this.#forget(uid);
  }

  #seen(object: KubernetesObject): void {
    if (!isHeld(object) || this.#timers.has(object.uid)) return;
    this.#later(object, waitMs, new Backoff(this.#options.client.random));
  }

  #forget(uid: string): void {
    this.#timers.get(uid)?.();
    this.#timers.delete(uid);
  }

  #later(object: KubernetesObject, delayMs: number, backoff: Backoff): void {
    const { clock } = this.#options;
    if (this.#closed) return;
    const cancel = clock.at(clock.nowMs() + delayMs, () => void this.#release(object, backoff));
    this.#timers.set(object.uid, cancel);
  }

  async #release({ kind, namespace, name, uid }: KubernetesObject, backoff: Backoff): Promise<void> {
    const { client, view, isInCharge, mayWrite, log } = this.#options;
    const isJobs = kind === 'ScaledJob';
    const object = (isJobs ? view.scaledJobs : view.scaledObjects).get({ namespace, name });
    // Whoever is in charge may change by an annotation, which is seen.
    if (!object || object.uid !== uid || !isHeld(object) || !isInCharge(object) || !mayWrite()) {
      this.#timers.delete(uid);
      return;
    }
    const finalizers = finalizersOf(object).filter((one) => one !== finalizer);
    const metadata = { finalizers, resourceVersion: object.resourceVersion };
    try {
      await client.mergePatch(isJobs ? resources.scaledJobs : resources.scaledObjects, object, { metadata });
      this.#timers.delete(uid);
      log('info', "took KEDA's finalizer off what was deleted", { kind, key: objectName(object) });
    } catch (error) {
      if (isStatus(error, 404)) return void this.#timers.delete(uid);
      // Written meanwhile: what is seen of it comes.
      const isRefused = isStatus(error, 403);
      const remedy = isRefused ? '; apply the manifests of this version' : '';
      log('warn', "KEDA's finalizer could not be taken off", {
        kind,
        key: objectName(object),
        error: `${error}${remedy}`,
      });
      this.#later(object, backoff.nextMs(isRefused ? unmetWaitMs : null), backoff);
    }
  }
}

function isHeld(object: KubernetesObject): boolean {
  return object.deletedAtMs !== null && finalizersOf(object).includes(finalizer);
}

function finalizersOf({ body }: KubernetesObject): unknown[] {
  return [...listAt(body, 'metadata', 'finalizers')];
}
