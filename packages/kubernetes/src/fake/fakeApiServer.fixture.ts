import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isObject, type JsonObject, numberAt, objectAt, textAt, textsAt } from '../client/values.ts';

interface Change {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  collection: string;
  namespace: string;
  object: JsonObject;
}

interface Watcher {
  collection: string;
  namespace: string | null;
  answer: ServerResponse;
}

export interface Seen {
  method: string;
  path: string;
  body: unknown;
}

/** Collections that the fake knows, `group/version/plural` with the kind. */
const known: Record<string, string> = {
  'v1/pods': 'Pod',
  'v1/secrets': 'Secret',
  'v1/configmaps': 'ConfigMap',
  'v1/services': 'Service',
  'discovery.k8s.io/v1/endpointslices': 'EndpointSlice',
  'apps/v1/deployments': 'Deployment',
  'apps/v1/statefulsets': 'StatefulSet',
  'apps/v1/daemonsets': 'DaemonSet',
  'batch/v1/jobs': 'Job',
  'events.k8s.io/v1/events': 'Event',
  'coordination.k8s.io/v1/leases': 'Lease',
  'autoscaling/v2/horizontalpodautoscalers': 'HorizontalPodAutoscaler',
  'keda.sh/v1alpha1/scaledobjects': 'ScaledObject',
  'keda.sh/v1alpha1/scaledjobs': 'ScaledJob',
  'ebb.dev/v1alpha1/workloads': 'Workload',
  'example.dev/v1/fleets': 'Fleet',
};

/**
 * The HTTP side of an API server in this process: versions, conflicts, watches with 410, scale and status, and on wish
 * the controllers that make pods of Deployments and StatefulSets.
 */
export class FakeApiServer {
  readonly seen: Seen[] = [];
  /** A refusal in the place of an answer, for a while: return a status, or null to answer. */
  refuse: (seen: Seen) => number | null = () => null;
  /** Pods are made of the counts, and turn ready after this long; null: nobody makes pods. */
  podsReadyAfterMs: number | null = null;
  readonly #server: Server;
  readonly #objects = new Map<string, Map<string, JsonObject>>();
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();
  #changes: Change[] = [];
  #version = 100;
  #oldest = 0;
  #serial = 0;

  private constructor() {
    this.#server = createServer((request, answer) => void this.#serve(request, answer));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<FakeApiServer> {
    const fake = new FakeApiServer();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Forgets what has changed: watches from earlier versions are answered with 410. */
  compact(): void {
    this.#changes = [];
    this.#oldest = this.#version;
  }

  scales(): { name: string; replicas: number }[] {
    return this.seen
      .filter(({ method, path }) => method === 'PUT' && path.endsWith('/scale'))
      .map(({ path, body }) => ({
        name: path.split('/').at(-2) ?? '',
        replicas: numberAt(body, 'spec', 'replicas') ?? 0,
      }));
  }

  get(collection: string, namespace: string, name: string): JsonObject | undefined {
    return this.#objects.get(collection)?.get(`${namespace}/${name}`);
  }

  list(collection: string): JsonObject[] {
    return [...(this.#objects.get(collection)?.values() ?? [])];
  }

  /** Puts an object there as somebody else would. */
  put(collection: string, object: JsonObject): JsonObject {
    const namespace = textAt(object, 'metadata', 'namespace') ?? 'default';
    const name = textAt(object, 'metadata', 'name') ?? '';
    const before = this.get(collection, namespace, name);
    const isSame = JSON.stringify(before?.spec) === JSON.stringify(object.spec);
    const metadata = {
      generation: (numberAt(before, 'metadata', 'generation') ?? 0) + (isSame ? 0 : 1),
      uid: textAt(before, 'metadata', 'uid') ?? `uid-${++this.#serial}`,
      creationTimestamp: textAt(before, 'metadata', 'creationTimestamp') ?? new Date().toISOString(),
      ...withoutGeneration(objectAt(object, 'metadata')),
      namespace,
      resourceVersion: String(++this.#version),
    };
    const [group, version] = collection.split('/').slice(0, -1);
    const apiVersion = version === undefined ? (group ?? '') : `${group}/${version}`;
    const stored = { ...object, apiVersion, kind: known[collection] ?? '', metadata };
    const at = this.#objects.get(collection) ?? new Map<string, JsonObject>();
    this.#objects.set(collection, at);
    at.set(`${namespace}/${name}`, stored);
    this.#tell({ version: this.#version, type: before ? 'MODIFIED' : 'ADDED', collection, namespace, object: stored });
    if (/deployments|statefulsets/.test(collection)) setImmediate(() => this.#makePods(collection, stored));
    if (collection === 'v1/pods' && textAt(stored, 'metadata', 'deletionTimestamp') !== null) {
      setTimeout(() => this.remove(collection, namespace, name), 5);
    }
    return stored;
  }

  remove(collection: string, namespace: string, name: string): boolean {
    const found = this.get(collection, namespace, name);
    if (!found) return false;
    this.#objects.get(collection)?.delete(`${namespace}/${name}`);
    const metadata = { ...objectAt(found, 'metadata'), resourceVersion: String(++this.#version) };
    const object = { ...found, metadata };
    this.#tell({ version: this.#version, type: 'DELETED', collection, namespace, object });
    if (collection === 'v1/pods') this.#makeAllPods();
    return true;
  }

  /** Asks a pod to end, as `kubectl delete pod` does. */
  endPod(namespace: string, name: string): void {
    const pod = this.get('v1/pods', namespace, name);
    if (!pod || textAt(pod, 'metadata', 'deletionTimestamp') !== null) return;
    const metadata = { ...objectAt(pod, 'metadata'), deletionTimestamp: new Date().toISOString() };
    this.put('v1/pods', { ...pod, metadata });
    this.#makeAllPods();
  }

  setReady(namespace: string, name: string, isReady: boolean): void {
    const pod = this.get('v1/pods', namespace, name);
    if (!pod) return;
    const condition = {
      type: 'Ready',
      status: isReady ? 'True' : 'False',
      lastTransitionTime: new Date().toISOString(),
    };
    const status = { ...objectAt(pod, 'status'), phase: 'Running', podIP: '10.0.0.1', conditions: [condition] };
    this.put('v1/pods', { ...pod, status });
  }

  #tell(change: Change): void {
    this.#changes.push(change);
    for (const { collection, namespace, answer } of this.#watchers) {
      if (collection !== change.collection || (namespace !== null && namespace !== change.namespace)) continue;
      answer.write(`${JSON.stringify({ type: change.type, object: change.object })}\n`);
    }
  }

  #makeAllPods(): void {
    for (const collection of ['apps/v1/deployments', 'apps/v1/statefulsets']) {
      for (const owner of this.list(collection)) setImmediate(() => this.#makePods(collection, owner));
    }
  }

  #makePods(collection: string, { metadata }: JsonObject): void {
    const readyAfterMs = this.podsReadyAfterMs;
    if (readyAfterMs === null) return;
    const namespace = textAt(metadata, 'namespace') ?? '';
    const name = textAt(metadata, 'name') ?? '';
    const owner = this.get(collection, namespace, name);
    if (!owner) return;
    const isSet = collection.endsWith('statefulsets');
    const labels = textsAt(owner, 'spec', 'template', 'metadata', 'labels');
    const own = this.list('v1/pods').filter(
      (pod) =>
        textAt(pod, 'metadata', 'labels', 'owner') === name &&
        textAt(pod, 'metadata', 'namespace') === namespace &&
        textAt(pod, 'metadata', 'deletionTimestamp') === null &&
        textAt(pod, 'status', 'phase') !== 'Failed',
    );
    const wanted = numberAt(owner, 'spec', 'replicas') ?? 1;
    const podName = (pod: JsonObject) => textAt(pod, 'metadata', 'name') ?? '';
    const ordinal = (pod: JsonObject) => Number(podName(pod).split('-').at(-1));
    const cost = (pod: JsonObject) =>
      Number(textAt(pod, 'metadata', 'annotations', 'controller.kubernetes.io/pod-deletion-cost') ?? 0);
    const order = isSet
      ? own.sort((left, right) => ordinal(right) - ordinal(left))
      : own.sort((left, right) => cost(left) - cost(right));
    for (const pod of order.slice(0, Math.max(0, own.length - wanted))) this.endPod(namespace, podName(pod));
    const taken = new Set(own.map(ordinal));
    for (let missing = wanted - own.length; missing > 0; missing--) {
      let next = 0;
      while (taken.has(next)) next++;
      taken.add(next);
      const created = `${name}-${isSet ? next : ++this.#serial}`;
      this.put('v1/pods', {
        metadata: { name: created, namespace, labels: { ...labels, owner: name } },
        spec: { nodeName: 'node-0', containers: [{ name: 'main', ports: [{ containerPort: 8080 }] }] },
        status: { phase: 'Pending' },
      });
      setTimeout(() => this.setReady(namespace, created, true), readyAfterMs);
    }
  }

  async #serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const parts: Buffer[] = [];
    for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part);
    const text = Buffer.concat(parts).toString();
    const body: unknown = text === '' ? null : JSON.parse(text);
    const method = request.method ?? '';
    const seen = { method, path: url.pathname, body };
    this.seen.push(seen);
    const refused = this.refuse(seen);
    if (refused !== null) return fail(answer, refused, 'Refused', 'refused by the test');
    const group = /^\/(?:api|apis)\/((?:[^/]+\/)?v[^/]*)$/.exec(url.pathname)?.[1];
    if (group !== undefined) return discover(group, answer);
    const found =
      /^\/(?:api|apis)\/((?:[^/]+\/)?v[^/]*)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
        url.pathname,
      );
    const collection = `${found?.[1]}/${found?.[3]}`;
    if (!found || !Object.hasOwn(known, collection)) return fail(answer, 404, 'NotFound', `no ${url.pathname}`);
    const namespace = found[2] ?? null;
    const name = found[4];
    if (url.searchParams.has('watch')) return this.#watch(url, collection, namespace, answer);
    if (name === undefined) {
      if (method === 'POST') return this.#create(collection, namespace ?? 'default', body, answer);
      const items = this.list(collection).filter(
        (one) => namespace === null || textAt(one, 'metadata', 'namespace') === namespace,
      );
      return send(answer, 200, { items, metadata: { resourceVersion: String(this.#version) } });
    }
    this.#object({ method, collection, namespace: namespace ?? 'default', name, part: found[5], body }, answer);
  }

  #watch(url: URL, collection: string, namespace: string | null, answer: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    answer.writeHead(200, { 'content-type': 'application/json' });
    if (from < this.#oldest) {
      const object = { code: 410, reason: 'Expired', message: 'too old resource version' };
      answer.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    const watcher = { collection, namespace, answer };
    answer.flushHeaders();
    for (const change of this.#changes) {
      if (change.version <= from || change.collection !== collection) continue;
      if (namespace !== null && change.namespace !== namespace) continue;
      answer.write(`${JSON.stringify({ type: change.type, object: change.object })}\n`);
    }
    this.#watchers.add(watcher);
    answer.once('close', () => this.#watchers.delete(watcher));
  }

  #create(collection: string, namespace: string, body: unknown, answer: ServerResponse): void {
    const name = textAt(body, 'metadata', 'name') ?? '';
    if (!isObject(body)) return fail(answer, 400, 'BadRequest', 'no object');
    if (this.get(collection, namespace, name)) return fail(answer, 409, 'AlreadyExists', `${name} is there`);
    send(answer, 201, this.put(collection, body));
  }

  #object(
    at: {
      method: string;
      collection: string;
      namespace: string;
      name: string;
      part: string | undefined;
      body: unknown;
    },
    answer: ServerResponse,
  ): void {
    const { method, collection, namespace, name, part } = at;
    const body = isObject(at.body) ? at.body : {};
    const found = this.get(collection, namespace, name);
    // Server-side apply makes what is not there; a status is of something that is.
    const isMade = isObject(body.data) || Array.isArray(body.endpoints);
    if (!found && method === 'PATCH' && isMade) return send(answer, 201, this.put(collection, body));
    if (!found) return fail(answer, 404, 'NotFound', `there is no ${name}`);
    const version = textAt(body, 'metadata', 'resourceVersion');
    const isStale = version !== null && version !== textAt(found, 'metadata', 'resourceVersion');
    if (method === 'PUT' && isStale) return fail(answer, 409, 'Conflict', 'the object has been modified');
    if (part === 'scale') {
      const replicas = numberAt(body, 'spec', 'replicas') ?? 0;
      const spec = objectAt(found, 'spec');
      const now = method === 'PUT' ? this.put(collection, { ...found, spec: { ...spec, replicas } }) : found;
      return send(answer, 200, scaleOf(now));
    }
    if (method === 'GET') return send(answer, 200, found);
    if (method === 'DELETE') {
      const uid = textAt(body, 'preconditions', 'uid');
      if (uid !== null && uid !== textAt(found, 'metadata', 'uid')) return fail(answer, 409, 'Conflict', 'another uid');
      if (collection === 'v1/pods') this.endPod(namespace, name);
      else this.remove(collection, namespace, name);
      return send(answer, 200, found);
    }
    if (method === 'PUT') return send(answer, 200, this.put(collection, body));
    const changes = part === 'status' ? { status: body.status } : body;
    send(answer, 200, this.put(collection, merged(found, changes)));
  }
}

function discover(group: string, answer: ServerResponse): void {
  const own = Object.entries(known).filter(([collection]) => collection.startsWith(`${group}/`));
  if (own.length === 0) return fail(answer, 404, 'NotFound', `no ${group}`);
  const resources = own.map(([collection, kind]) => ({ name: collection.split('/').at(-1), kind, namespaced: true }));
  send(answer, 200, { kind: 'APIResourceList', groupVersion: group, resources });
}

function scaleOf(object: JsonObject): JsonObject {
  const replicas = numberAt(object, 'spec', 'replicas') ?? 1;
  const labels = textsAt(object, 'spec', 'selector', 'matchLabels');
  const selector = Object.entries(labels).map((pair) => pair.join('='));
  // At zero the real one leaves the field out.
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: object.metadata,
    spec: replicas === 0 ? {} : { replicas },
    status: { selector: selector.join(',') },
  };
}

function withoutGeneration({ generation: _generation, ...metadata }: JsonObject): JsonObject {
  return metadata;
}

function merged(object: JsonObject, changes: JsonObject): JsonObject {
  const result: Record<string, unknown> = { ...object };
  for (const [name, value] of Object.entries(changes)) {
    const before = result[name];
    if (value === null) delete result[name];
    else result[name] = isObject(value) ? merged(isObject(before) ? before : {}, value) : value;
  }
  return result;
}

function send(answer: ServerResponse, status: number, body: unknown): void {
  answer.writeHead(status, { 'content-type': 'application/json' });
  answer.end(JSON.stringify(body));
}

function fail(answer: ServerResponse, code: number, reason: string, message: string): void {
  send(answer, code, { kind: 'Status', status: 'Failure', code, reason, message });
}
