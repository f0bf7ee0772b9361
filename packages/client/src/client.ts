import {
  type CostGrouping,
  type CostReport,
  type FleetStatus,
  defaultNamespace,
  type SystemStatus,
  type WatchEvent,
  type WorkloadStatus,
} from '@ebb/documents';
import { endpointOf, type EndpointSource, fixedEndpoint } from './endpoint.ts';
import { ApiError } from './errors.ts';
import { type Call, readLines, send } from './transport.ts';
import type {
  ApiObject,
  ApiObjectList,
  ApplyResult,
  Explanation,
  JournalRecord,
  LogLine,
  ObjectToPut,
  WorkloadRecommendation,
} from './types.ts';
import { watchEvents, type WatchOptions } from './watch.ts';

export type ConnectOptions = { dataDirectory: string } | { url: string; token: string };

/** An object's place besides its name; default: namespace `default` of cluster `local`. */
export interface Place {
  namespace?: string;
  cluster?: string;
}

export interface ApplyOptions {
  /** File the text came from: relative paths in it are resolved against its folder, and problems name it. */
  origin?: string;
  /** Say what would change, change nothing. */
  dryRun?: boolean;
  contentType?: 'application/yaml' | 'application/json';
}

export interface LogOptions extends Place {
  /** Lines back; default 100. */
  tail?: number;
  follow?: boolean;
  replica?: string;
  signal?: AbortSignal;
}

export interface JournalOptions {
  fromSequence?: number;
  /** `cluster/namespace/name` or, in namespace `default`, a name. */
  workload?: string;
  fromMs?: number;
  toMs?: number;
  kinds?: JournalRecord['kind'][];
  limit?: number;
  newestFirst?: boolean;
}

/**
 * Connects to a running Ebb by its data directory (address and token are read from it) or by address and token.
 * Throws `NotRunningError` where no control plane runs on the directory; an address is not tried before the first call.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  if ('url' in options) return new Client(fixedEndpoint(options.url, options.token));
  return new Client(await endpointOf(options.dataDirectory));
}

/** The API of a control plane. Every method throws `ApiError` for a refusal and `UnreachableError` where nobody answers. */
export class Client {
  readonly #source: EndpointSource;

  constructor(source: EndpointSource) {
    this.#source = source;
  }

  get url(): string {
    return this.#source.current.url;
  }

  /** Address of the live page, with the token in the fragment, which browsers do not send. */
  get pageUrl(): string {
    return `${this.url}/#token=${this.#source.current.token}`;
  }

  async status(): Promise<SystemStatus> {
    return this.#json('GET', '/api/v1/status');
  }

  /** Null where there is no such workload. */
  async workloadStatus(name: string, place: Place = {}): Promise<WorkloadStatus | null> {
    return orNull(
      this.#json<WorkloadStatus>('GET', `${workloadPath(name, place)}/status`, { query: clusterOf(place) }),
    );
  }

  /** Objects of a kind (`workloads`, `nodepools`, `clusters`) in one namespace, or in all with `namespace: '*'`. */
  async list(kind: string, place: Place = {}): Promise<ApiObject[]> {
    const list = await this.#json<ApiObjectList>('GET', kindPath(kind, place), { query: clusterOf(place) });
    return list.items;
  }

  /** Null where there is no such object. */
  async get(kind: string, name: string, place: Place = {}): Promise<ApiObject | null> {
    return orNull(this.#json<ApiObject>('GET', objectPath(kind, name, place), { query: clusterOf(place) }));
  }

  /** Creates or replaces one object. With `metadata.resourceVersion` it is refused (`conflict`) when that is stale. */
  async put(object: ObjectToPut): Promise<ApiObject> {
    const { name, namespace } = object.metadata;
    return this.#json('PUT', objectPath(object.kind, name, namespace === undefined ? {} : { namespace }), {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(object),
    });
  }

  /** Drains and ends what the object had. Null where there was none. */
  async delete(
    kind: string,
    name: string,
    place: Place & { resourceVersion?: string } = {},
  ): Promise<ApiObject | null> {
    const query = { ...clusterOf(place), resourceVersion: place.resourceVersion };
    return orNull(this.#json<ApiObject>('DELETE', objectPath(kind, name, place), { query }));
  }

  /** Creates or changes what the documents describe: all, or nothing when one is wrong (`ApiError.problems` says where). */
  async apply(text: string, options: ApplyOptions = {}): Promise<ApplyResult> {
    return this.#json('POST', '/api/v1/apply', {
      query: { dryRun: options.dryRun ? true : undefined },
      headers: {
        'content-type': options.contentType ?? 'application/yaml',
        // Paths may hold any character; a header may not.
        ...(options.origin === undefined ? {} : { 'x-ebb-origin': encodeURIComponent(options.origin) }),
      },
      body: text,
    });
  }

  /** The decision in force at a wall time (default: now), step by step. Null where there is no such workload. */
  async explain(name: string, options: Place & { atMs?: number } = {}): Promise<Explanation | null> {
    const query = { ...clusterOf(options), at: options.atMs };
    return orNull(this.#json<Explanation>('GET', `${workloadPath(name, options)}/explain`, { query }));
  }

  /** What the workload's classes should ask for, and why. Null where there is no such workload. */
  async recommendation(name: string, place: Place = {}): Promise<WorkloadRecommendation | null> {
    const path = `${workloadPath(name, place)}/recommendation`;
    return orNull(this.#json<WorkloadRecommendation>('GET', path, { query: clusterOf(place) }));
  }

  /** What the replicas wrote, oldest first; with `follow` until the signal fires or the loop is left. */
  async *logs(name: string, options: LogOptions = {}): AsyncGenerator<LogLine, void, void> {
    const { tail, follow, replica, signal } = options;
    const ownEnd = new AbortController();
    try {
      const response = await send(this.#source, 'GET', `${workloadPath(name, options)}/logs`, {
        query: { ...clusterOf(options), tail, follow: follow ? true : undefined, replica },
        signal: signal ? AbortSignal.any([signal, ownEnd.signal]) : ownEnd.signal,
      });
      for await (const line of readLines(response)) yield line as LogLine;
    } catch (error) {
      if (!signal?.aborted) throw error;
    } finally {
      ownEnd.abort();
    }
  }

  /** Every change in order, through reconnections; see `WatchOptions`. */
  watch(options: WatchOptions = {}): AsyncGenerator<WatchEvent, void, void> {
    return watchEvents(this.#source, options);
  }

  async journal(options: JournalOptions = {}): Promise<JournalRecord[]> {
    const { kinds, ...rest } = options;
    const query = { ...rest, kinds: kinds?.join(',') };
    const { items } = await this.#json<{ items: JournalRecord[] }>('GET', '/api/v1/journal', { query });
    return items;
  }

  /** What was paid in a span (default: all until now), by workload unless said otherwise, in all namespaces unless in one. */
  async cost(
    options: { fromMs?: number; toMs?: number; by?: CostGrouping; namespace?: string } = {},
  ): Promise<CostReport> {
    return this.#json('GET', '/api/v1/cost', { query: options });
  }

  /** Clusters whose machines are rented, with their machines. */
  async nodes(): Promise<FleetStatus[]> {
    const { items } = await this.#json<{ items: FleetStatus[] }>('GET', '/api/v1/nodes', {});
    return items;
  }

  /**
   * Asks for a clean stop: replicas are drained and ended, then gateway, agent and control plane end. Returns once it is
   * accepted. With `leaveRunning` only the control plane ends; the next start adopts everything.
   */
  async shutdown(options: { leaveRunning?: boolean } = {}): Promise<void> {
    const query = { leaveRunning: options.leaveRunning ? true : undefined };
    await (await send(this.#source, 'POST', '/api/v1/shutdown', { query })).arrayBuffer();
  }

  /** One request to a workload through the control plane; the gateway holds it and wakes the workload as for any other. */
  request(name: string, path: string, options: Place & Call & { method?: string } = {}): Promise<Response> {
    const { namespace, cluster, method, ...call } = options;
    const place = { ...(namespace === undefined ? {} : { namespace }), ...(cluster === undefined ? {} : { cluster }) };
    return send(this.#source, method ?? 'GET', `${workloadPath(name, place)}/proxy/${path.replace(/^\//, '')}`, call);
  }

  /** Prometheus text. */
  async metrics(): Promise<string> {
    return (await send(this.#source, 'GET', '/metrics')).text();
  }

  async openApi(): Promise<unknown> {
    return this.#json('GET', '/api/v1/openapi.json');
  }

  async #json<Answer>(method: string, path: string, call: Call = {}): Promise<Answer> {
    const response = await send(this.#source, method, path, call);
    return (await response.json()) as Answer;
  }
}

async function orNull<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'not-found') return null;
    throw error;
  }
}

function clusterOf({ cluster }: Place): { cluster?: string } {
  return cluster === undefined ? {} : { cluster };
}

/** `Workload`, `workload` and `workloads` are the same. */
function kindPath(kind: string, { namespace = defaultNamespace }: Place): string {
  const plural = kind.toLowerCase().replace(/s?$/, 's');
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/${encodeURIComponent(plural)}`;
}

function objectPath(kind: string, name: string, place: Place): string {
  return `${kindPath(kind, place)}/${encodeURIComponent(name)}`;
}

function workloadPath(name: string, place: Place): string {
  return objectPath('workloads', name, place);
}
