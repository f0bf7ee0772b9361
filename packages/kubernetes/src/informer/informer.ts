import { Backoff } from '../client/backoff.ts';
import { ApiServerError, isStatus, type KubernetesClient, type WatchedChange } from '../client/client.ts';
import { isOlderVersion, type KubernetesObject, objectName } from '../client/objects.ts';
import { apiVersionOf, eachNamespace, type Namespaces, type Resource } from '../client/resources.ts';

export type InformerEvent =
  | { type: 'put'; object: KubernetesObject; before: KubernetesObject | null }
  | { type: 'delete'; object: KubernetesObject };

export interface InformerOptions {
  readonly client: KubernetesClient;
  readonly resource: Resource;
  /** Null: all namespaces; several are followed each by itself, as one cache. */
  readonly namespace: Namespaces;
  /** Left out: all objects of the collection. */
  readonly labelSelector?: string;
  /** What of an object is kept; left out: all of it. */
  slim?(object: KubernetesObject): KubernetesObject;
  /** What goes wrong on the way; it is tried again. */
  onTrouble?(message: string): void;
}

const shortestWatchMs = 1000;

/**
 * A cache of one collection, kept by a list and a watch. While the server is away it stays as it was: what is not heard
 * of has not gone. After 410 everything is listed again, and what is missing then has gone.
 */
export class Informer {
  /** Kept once everything was listed. */
  readonly synced: Promise<void>;
  readonly #options: InformerOptions;
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #listeners = new Set<(event: InformerEvent) => void>();
  readonly #stop = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  /** Namespaces that were not listed yet. */
  #unlisted = 1;
  #lists = 0;
  #running: Promise<void> | null = null;

  constructor(options: InformerOptions) {
    this.#options = options;
    this.synced = this.#synced.promise;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** How often everything was listed. */
  get lists(): number {
    return this.#lists;
  }

  start(): this {
    if (this.#running) return this;
    const { resource, namespace } = this.#options;
    const each = eachNamespace(resource.namespaced ? namespace : null);
    this.#unlisted = each.length;
    this.#running = Promise.all(each.map((one) => this.#run(one))).then(() => {});
    return this;
  }

  get(at: { namespace: string; name: string }): KubernetesObject | null {
    return this.#objects.get(objectName(at)) ?? null;
  }

  list(): KubernetesObject[] {
    return [...this.#objects.values()];
  }

  /** Changes from now on, in order; what is there already is in `list`. */
  watch(listener: (event: InformerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#listeners.clear();
    await this.#running;
  }

  async #run(namespace: string | null): Promise<void> {
    const { client, resource, labelSelector, onTrouble } = this.#options;
    const { signal } = this.#stop;
    const backoff = new Backoff(client.random);
    let resourceVersion: string | null = null;
    let isListed = false;
    while (!signal.aborted) {
      try {
        resourceVersion ??= await this.#list(namespace);
        if (!isListed) this.#listed();
        isListed = true;
        const fromMs = client.clock.nowMs();
        await client.watch(resource, { namespace, resourceVersion, signal, labelSelector }, (change) => {
          backoff.reset();
          resourceVersion = this.#take(change);
        });
        // A server or proxy that ends every watch at once is not asked without a pause.
        if (client.clock.nowMs() - fromMs < shortestWatchMs && !signal.aborted) await this.#pause(backoff.nextMs());
      } catch (error) {
        if (signal.aborted) return;
        if (isStatus(error, 410)) resourceVersion = null;
        const message = error instanceof Error ? error.message : String(error);
        onTrouble?.(`${apiVersionOf(resource)} ${resource.plural}: ${message}`);
        await this.#pause(backoff.nextMs(error instanceof ApiServerError ? error.retryAfterMs : null));
      }
    }
  }

  async #list(namespace: string | null): Promise<string> {
    const { client, resource, labelSelector } = this.#options;
    const { signal } = this.#stop;
    const { objects, resourceVersion } = await client.list(resource, { namespace, signal, labelSelector });
    this.#lists++;
    const listed = new Set(objects.map(objectName));
    for (const object of [...this.#objects.values()]) {
      const isHere = namespace === null || object.namespace === namespace;
      if (isHere && !listed.has(objectName(object))) this.#gone(object);
    }
    for (const object of objects) this.#put(object);
    return resourceVersion;
  }

  #listed(): void {
    this.#unlisted--;
    if (this.#unlisted > 0) return;
    this.#isSynced = true;
    this.#synced.resolve();
  }

  /** The version to go on from. */
  #take(change: WatchedChange): string {
    if (change.type === 'BOOKMARK') return change.resourceVersion;
    const { object } = change;
    if (change.type === 'DELETED') this.#gone(object);
    else this.#put(object);
    return object.resourceVersion;
  }

  #put(whole: KubernetesObject): void {
    const object = this.#options.slim?.(whole) ?? whole;
    const key = objectName(object);
    const before = this.#objects.get(key) ?? null;
    const isSame = before !== null && before.uid === object.uid;
    if (isSame && before.resourceVersion === object.resourceVersion) return;
    if (isSame && isOlderVersion(object.resourceVersion, before.resourceVersion)) return;
    // Another one of the same name: the first has gone unseen.
    if (before && !isSame) this.#tell({ type: 'delete', object: before });
    this.#objects.set(key, object);
    this.#tell({ type: 'put', object, before: isSame ? before : null });
  }

  #gone(object: KubernetesObject): void {
    const before = this.#objects.get(objectName(object));
    if (!before || before.uid !== object.uid) return;
    this.#objects.delete(objectName(object));
    this.#tell({ type: 'delete', object });
  }

  #tell(event: InformerEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        // What one listener cannot take must not end the stream for the others.
        this.#options.onTrouble?.(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    }
  }

  #pause(delayMs: number): Promise<void> {
    const { clock } = this.#options.client;
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.at(clock.nowMs() + delayMs, done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }
}
