import { type Clock, type Random, StoreError } from '@ebb/core';
import { Backoff } from './backoff.ts';
import { type KubernetesObject, readObject } from './objects.ts';
import {
  apiVersionOf,
  collectionPath,
  eachNamespace,
  groupPath,
  type Namespaces,
  objectPath,
  type Resource,
  resources,
  splitApiVersion,
} from './resources.ts';
import { type Transport, type TransportAnswer, type TransportRequest, UnreachableError } from './transport.ts';
import { isObject, type JsonObject, listAt, numberAt, readJson, textAt } from './values.ts';

/** The API server has refused. */
export class ApiServerError extends Error {
  override readonly name = 'ApiServerError';
  readonly status: number;
  /** Kubernetes' word, such as `Conflict`, `NotFound`, `Expired`. */
  readonly reason: string;
  readonly retryAfterMs: number | null;
  constructor(status: number, reason: string, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

export function isStatus(error: unknown, status: number): error is ApiServerError {
  return error instanceof ApiServerError && error.status === status;
}

export interface NamedObject {
  readonly namespace: string;
  readonly name: string;
}

export interface Scale {
  readonly replicas: number;
  readonly resourceVersion: string;
  /** Labels of its pods, as text; null: it does not say. */
  readonly selector: string | null;
}

export type WatchedChange =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubernetesObject }
  | { type: 'BOOKMARK'; resourceVersion: string };

export interface KubernetesClientOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
}

export const fieldManager = 'ebb';
const timeoutMs = 10_000;
/** What was refused for a while, or not reached, is asked this often in all. Reads only, and writes that may be repeated. */
const attempts = 4;
const pageSize = 500;
/** The server ends a watch by itself after this; a stream that says nothing for longer has been cut. */
const watchSeconds = 240;
const bookmarkGapMs = 90_000;

/** What the rest of this package asks of the API server. Throws `ApiServerError` and `UnreachableError`. */
export class KubernetesClient {
  readonly #options: KubernetesClientOptions;

  constructor(options: KubernetesClientOptions) {
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get random(): Random {
    return this.#options.random;
  }

  async get(resource: Resource, at: NamedObject): Promise<KubernetesObject | null> {
    try {
      return required(resource, await this.#repeat({ method: 'GET', path: objectPath(resource, at) }));
    } catch (error) {
      if (isStatus(error, 404)) return null;
      throw error;
    }
  }

  /** All objects, a page at a time, and the version that a watch goes on from; of several namespaces there is none. */
  async list(
    resource: Resource,
    { namespace, ...options }: { namespace: Namespaces; signal?: AbortSignal; labelSelector?: string | undefined },
  ): Promise<{ objects: KubernetesObject[]; resourceVersion: string }> {
    const [first = null, ...others] = eachNamespace(resource.namespaced ? namespace : null);
    const found = await this.#listOf(resource, first, options);
    for (const other of others) found.objects.push(...(await this.#listOf(resource, other, options)).objects);
    return others.length === 0 ? found : { ...found, resourceVersion: '' };
  }

  /** What is at a path that holds no object with a name, such as values of metrics. */
  read(path: string, query: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<JsonObject> {
    return this.#repeat({ method: 'GET', path, query, signal });
  }

  /** Whether a collection may be listed: throws what the server refuses. */
  async probe(resource: Resource, namespaces: Namespaces): Promise<void> {
    for (const namespace of eachNamespace(namespaces)) {
      await this.#repeat({ method: 'GET', path: collectionPath(resource, namespace), query: { limit: '1' } });
    }
  }

  /** Follows changes after a version. Resolves when the stream ends by itself; 410 is an `ApiServerError`. */
  async watch(
    resource: Resource,
    {
      namespace,
      resourceVersion,
      signal,
      labelSelector,
    }: { namespace: string | null; resourceVersion: string; signal: AbortSignal; labelSelector?: string | undefined },
    take: (change: WatchedChange) => void,
  ): Promise<void> {
    const ended = new AbortController();
    let refused: Error | null = null;
    const refusal = await this.#options.transport
      .lines(
        {
          method: 'GET',
          path: collectionPath(resource, namespace),
          query: {
            watch: '1',
            allowWatchBookmarks: 'true',
            resourceVersion,
            timeoutSeconds: String(watchSeconds),
            labelSelector,
          },
          timeoutMs,
          idleMs: bookmarkGapMs,
          signal: AbortSignal.any([signal, ended.signal]),
        },
        (line) => {
          if (refused) return;
          const change = readChange(resource, line);
          if (change instanceof Error) {
            refused = change;
            ended.abort();
          } else if (change) take(change);
        },
      )
      .catch((error: unknown) => {
        if (refused) return null;
        throw error;
      });
    if (refused) throw refused;
    if (refusal) throw readError(refusal);
  }

  create(resource: Resource, { namespace }: { namespace: string }, body: JsonObject): Promise<KubernetesObject> {
    const request = { method: 'POST', path: collectionPath(resource, namespace), body } as const;
    return this.#send(request).then((answer) => required(resource, answer));
  }

  /** Asks something that changes nothing, such as who may do what. */
  review(path: string, body: JsonObject): Promise<JsonObject> {
    return this.#repeat({ method: 'POST', path, body });
  }

  /** Replaces it as a whole; with a stale `metadata.resourceVersion` it is refused with 409. */
  async replace(resource: Resource, at: NamedObject, body: JsonObject): Promise<KubernetesObject> {
    return required(resource, await this.#send({ method: 'PUT', path: objectPath(resource, at), body }));
  }

  /** Server-side apply of what this program owns of an object. */
  async apply(
    resource: Resource,
    at: NamedObject,
    body: JsonObject,
    subresource?: 'status',
  ): Promise<KubernetesObject> {
    const { name } = at;
    const metadata = resource.namespaced ? { name, namespace: at.namespace } : { name };
    const document = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata, ...body };
    const answer = await this.#repeat({
      method: 'PATCH',
      path: objectPath(resource, at, subresource),
      query: { fieldManager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: document,
    });
    return required(resource, answer);
  }

  async mergePatch(resource: Resource, at: NamedObject, body: JsonObject): Promise<KubernetesObject> {
    const answer = await this.#repeat({
      method: 'PATCH',
      path: objectPath(resource, at),
      query: { fieldManager },
      contentType: 'application/merge-patch+json',
      body,
    });
    return required(resource, answer);
  }

  /** False where there was none, or another one of that name. */
  async delete(
    resource: Resource,
    at: NamedObject,
    { uid, propagation }: { uid?: string; propagation?: 'Background' | 'Foreground' } = {},
  ): Promise<boolean> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
    };
    try {
      await this.#repeat({ method: 'DELETE', path: objectPath(resource, at), body });
      return true;
    } catch (error) {
      if (isStatus(error, 404) || isStatus(error, 409)) return false;
      throw error;
    }
  }

  /**
   * Asks the pod to leave as its disruption budget allows; 429 where it does not. A pod that has gone, or is another one by now,
   * is fine.
   */
  async evict(at: NamedObject, uid: string): Promise<void> {
    const body = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: at.name, namespace: at.namespace },
      deleteOptions: { preconditions: { uid } },
    };
    try {
      await this.#send({ method: 'POST', path: objectPath(resources.pods, at, 'eviction'), body });
    } catch (error) {
      if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
    }
  }

  /** Changes what containers of a running pod have, where the server can; 409 where it is another pod by now. */
  async resizePod(at: NamedObject, uid: string, containers: readonly JsonObject[]): Promise<void> {
    await this.#send({
      method: 'PATCH',
      path: objectPath(resources.pods, at, 'resize'),
      query: { fieldManager },
      contentType: 'application/strategic-merge-patch+json',
      body: { metadata: { uid }, spec: { containers } },
    });
  }

  /** Whether the server has a subresource, such as `pods/resize` of `v1`. */
  async hasSubresource(apiVersion: string, name: string): Promise<boolean> {
    const answer = await this.#repeat({ method: 'GET', path: groupPath(splitApiVersion(apiVersion)) });
    return listAt(answer, 'resources').some((one) => textAt(one, 'name') === name);
  }

  async readScale(resource: Resource, at: NamedObject): Promise<Scale> {
    return readScale(await this.#repeat({ method: 'GET', path: objectPath(resource, at, 'scale') }));
  }

  /** Writes a count over the version given; 409 where something has changed since. */
  async writeScale(resource: Resource, at: NamedObject, replicas: number, resourceVersion: string): Promise<Scale> {
    const body = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: at.name, namespace: at.namespace, resourceVersion },
      spec: { replicas },
    };
    const path = objectPath(resource, at, 'scale');
    return readScale(await this.#send({ method: 'PUT', path, query: { fieldManager }, body }));
  }

  /** The collection of a kind; null where the server knows no such kind. */
  async discover(apiVersion: string, kind: string): Promise<Resource | null> {
    const version = splitApiVersion(apiVersion);
    let answer: JsonObject;
    try {
      answer = await this.#repeat({ method: 'GET', path: groupPath(version) });
    } catch (error) {
      if (isStatus(error, 404)) return null;
      throw error;
    }
    const found = listAt(answer, 'resources').find(
      (one) => textAt(one, 'kind') === kind && !(textAt(one, 'name') ?? '/').includes('/'),
    );
    const plural = textAt(found, 'name');
    if (!isObject(found) || plural === null) return null;
    return { ...version, plural, kind, namespaced: found.namespaced === true };
  }

  async #listOf(
    resource: Resource,
    namespace: string | null,
    { signal, labelSelector }: { signal?: AbortSignal; labelSelector?: string | undefined },
  ): Promise<{ objects: KubernetesObject[]; resourceVersion: string }> {
    const path = collectionPath(resource, namespace);
    const objects: KubernetesObject[] = [];
    let next: string | undefined;
    for (;;) {
      const query = { limit: String(pageSize), continue: next, labelSelector };
      const page = await this.#repeat({ method: 'GET', path, query, ...(signal ? { signal } : {}) });
      for (const item of listAt(page, 'items')) {
        const object = readObject(item, shapeOf(resource));
        if (object) objects.push(object);
      }
      next = textAt(page, 'metadata', 'continue') || undefined;
      const resourceVersion = textAt(page, 'metadata', 'resourceVersion') ?? '';
      if (next === undefined) return { objects, resourceVersion };
    }
  }

  async #repeat(request: Omit<TransportRequest, 'timeoutMs'>): Promise<JsonObject> {
    const backoff = new Backoff(this.#options.random);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#send(request);
      } catch (error) {
        if (attempt >= attempts || !isPassing(error) || request.signal?.aborted) throw error;
        await this.wait(backoff.nextMs(error instanceof ApiServerError ? error.retryAfterMs : null));
      }
    }
  }

  async #send(request: Omit<TransportRequest, 'timeoutMs'>): Promise<JsonObject> {
    const answer = await this.#options.transport.send({ ...request, timeoutMs });
    if (answer.status >= 300) throw readError(answer);
    const body = readJson(answer.text);
    if (!isObject(body)) throw new UnreachableError(`${request.method} ${request.path}: the answer is no object`);
    return body;
  }

  /** Some milliseconds on the clock of this client. */
  wait(delayMs: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => clock.at(clock.nowMs() + delayMs, resolve));
  }
}

/** Another try may go well. */
export function isPassing(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  return error instanceof ApiServerError && (error.status === 429 || error.status >= 500);
}

/** For the engine's ports: what was refused because another one leads. */
export function notLeading(): StoreError {
  return new StoreError('stale-epoch', 'another operator holds the lease: this one changes nothing any more');
}

function shapeOf(resource: Resource): { apiVersion: string; kind: string } {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind };
}

function required(resource: Resource, body: unknown): KubernetesObject {
  const object = readObject(body, shapeOf(resource));
  if (!object) throw new UnreachableError(`the answer is no ${resource.kind}`);
  return object;
}

function readScale(body: unknown): Scale {
  return {
    // At zero the field is left out.
    replicas: numberAt(body, 'spec', 'replicas') ?? 0,
    resourceVersion: textAt(body, 'metadata', 'resourceVersion') ?? '',
    selector: textAt(body, 'status', 'selector'),
  };
}

function readChange(resource: Resource, line: string): WatchedChange | Error | null {
  const event = readJson(line);
  const type = textAt(event, 'type');
  const body = isObject(event) ? event.object : null;
  if (type === 'ERROR') return statusError(numberAt(body, 'code') ?? 500, body, null);
  if (type === 'BOOKMARK') return { type, resourceVersion: textAt(body, 'metadata', 'resourceVersion') ?? '' };
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return null;
  const object = readObject(body, shapeOf(resource));
  return object && { type, object };
}

/** What the API server said as it refused. */
export function readError({ status, text, retryAfterMs }: TransportAnswer): ApiServerError {
  return statusError(status, readJson(text), retryAfterMs);
}

function statusError(status: number, body: unknown, retryAfterMs: number | null): ApiServerError {
  const reason = textAt(body, 'reason') ?? '';
  const message = textAt(body, 'message') ?? `the API server answered with status ${status}`;
  return new ApiServerError(status, reason, message, retryAfterMs);
}
