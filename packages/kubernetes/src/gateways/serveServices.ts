import type { Clock, GatewayEndpoint, GatewayPort, GatewayWorkload } from '@ebb/core';
import { keyText, type ObjectKey, type ScaledObjectSpec, type WorkloadStatus } from '@ebb/documents';
import { isStatus, type KubernetesClient } from '../client/client.ts';
import { type KubernetesObject, objectName } from '../client/objects.ts';
import { type Namespaces, resources } from '../client/resources.ts';
import { Informer } from '../informer/informer.ts';
import { keyOf } from '../operator/documents.ts';
import type { StatusWriter } from '../store/statusWriter.ts';
import { type Address, addressesOf, isOwnSlice, managedByLabel, serviceLabel, sliceManager } from './endpointSlices.ts';
import { followGatewayAddresses } from './gatewayAddresses.ts';
import { blindReason, isIdle } from './serveFacts.ts';
import { isServeService, serveSelector } from './serveService.ts';
import type { ServiceName } from './hosts.ts';
import { ServedService } from './servedService.ts';

/** What the engine knows of workloads. */
export interface ServeFactsPort {
  /** Null: it is not decided on. */
  status(key: ObjectKey): Pick<WorkloadStatus, 'scaledBy' | 'minReplicas' | 'replicas' | 'inFlight' | 'held'> | null;
  /** What scales it; null: no ScaledObject that is valid. */
  specOf(
    at: { namespace: string; name: string },
    scaledObject: string,
  ): Pick<ScaledObjectSpec, 'modifiers' | 'idleReplicas' | 'forceActivation'> | null;
  /** It is decided on and left alone. */
  isAdvised(at: { namespace: string; name: string }): boolean;
}

export interface ServeServicesOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** Of which Services are followed; null: of all. */
  readonly namespace: Namespaces;
  /** Pods of gateways, and their namespace. */
  readonly gateways: { readonly pods: Informer; readonly namespace: string };
  readonly pods: { list(): KubernetesObject[] };
  readonly facts: ServeFactsPort;
  readonly statuses: StatusWriter;
  /** The names by which a workload is known may be others, and whether gateways serve it at all. */
  namesChanged(workload: string): void;
  /** A drain may be over by now. */
  drainsMayEnd(): void;
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

/** One Service whose endpoints are kept, as it is now. */
export interface ServedState {
  readonly namespace: string;
  readonly service: string;
  readonly workload: string;
  /** Whether requests go past the gateways. */
  readonly isDirect: boolean;
}

/**
 * The Services whose endpoints Ebb keeps, for as long as this process leads: the gateways while they are needed, and the pods
 * themselves while there is capacity enough. A replica that is to go leaves its Services first, and is stopped when the proxies of the
 * cluster have had the time to learn of it.
 */
export class ServeServices {
  readonly #options: ServeServicesOptions;
  readonly #services: Informer;
  readonly #slices: Informer;
  readonly #entries = new Map<string, ServedService>();
  /** Services by the key of their workload. */
  readonly #byWorkload = new Map<string, Set<ServedService>>();
  /** Services by their bare name. */
  readonly #byName = new Map<string, Set<ServedService>>();
  readonly #workloads = new Map<string, GatewayWorkload>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #undo: (() => void)[] = [];
  #gateways: ReadonlyMap<string, Address> = new Map();
  #released = false;
  #closed = false;

  constructor(options: ServeServicesOptions) {
    this.#options = options;
    const { client, namespace, log } = options;
    const onTrouble = (message: string) => log('warn', 'the API server is asked again', { error: message });
    const base = { client, namespace, onTrouble };
    this.#services = new Informer({ ...base, resource: resources.services, labelSelector: serveSelector });
    const labelSelector = `${managedByLabel}=${sliceManager}`;
    this.#slices = new Informer({ ...base, resource: resources.endpointSlices, labelSelector });
  }

  /** Resolves once the Services and the slices of earlier operators are known, or once it is known that they may not be seen. */
  async start(): Promise<void> {
    if (await this.#isRefused()) return;
    await Promise.all([this.#services.start().synced, this.#slices.start().synced]);
    for (const service of this.#services.list()) this.#takeService(service);
    for (const slice of this.#slices.list()) this.#takeSlice(slice, false);
    this.#undo.push(
      this.#services.watch((event) => {
        if (event.type === 'put') this.#takeService(event.object);
        else this.#dropService(event.object);
      }),
      this.#slices.watch((event) => this.#takeSlice(event.object, event.type === 'delete')),
    );
  }

  /** From now on it is written: an unfinished picture must not take pods out of a Service. */
  release(): void {
    this.#released = true;
    this.#undo.push(
      followGatewayAddresses(this.#options.gateways, (addresses) => {
        this.#gateways = addresses;
        for (const entry of this.#entries.values()) this.#look(entry);
      }),
    );
    // Of Services that lost their label meanwhile.
    for (const slice of this.#slices.list()) if (!this.#entryOfSlice(slice)) void this.#delete(slice);
  }

  /** The same port, which takes note of what passes. */
  around(gateway: GatewayPort): GatewayPort {
    return {
      configure: (workload) => {
        this.#workloads.set(workload.key, workload);
        gateway.configure(workload);
        this.changed(workload.key);
      },
      remove: (workload) => {
        this.#workloads.delete(workload);
        gateway.remove(workload);
        this.changed(workload);
      },
      watch: (listener) => gateway.watch(listener),
      close: () => gateway.close(),
    };
  }

  /** What is known of a workload may be something else. */
  changed(workload: string): void {
    for (const entry of this.#byWorkload.get(workload) ?? []) this.#look(entry);
  }

  /** Whether requests for a workload come to gateways by a Service. */
  serves(workload: string): boolean {
    return [...(this.#byWorkload.get(workload) ?? [])].some(
      ({ workload: at }) => at !== null && !this.#options.facts.isAdvised(at),
    );
  }

  /** Names of Services that stand for a workload. */
  namesOf(workload: string): ServiceName[] {
    const entries = [...(this.#byWorkload.get(workload) ?? [])];
    return entries.map(({ name }) => ({ name, isOnly: this.#byName.get(name)?.size === 1 }));
  }

  /** Whether requests may go straight to an address, past the gateways. */
  isReached(workload: string, { host }: Pick<GatewayEndpoint, 'host'>): boolean {
    const nowMs = this.#options.clock.nowMs();
    return [...(this.#byWorkload.get(workload) ?? [])].some((entry) => entry.isReached(host, nowMs));
  }

  /** Whether what gateways count of a workload that has replicas is not all there is. */
  isBlind(key: ObjectKey): boolean {
    const nowMs = this.#options.clock.nowMs();
    const entries = [...(this.#byWorkload.get(keyText(key)) ?? [])];
    if (!entries.some((entry) => entry.isDirect(nowMs))) return false;
    return (this.#options.facts.status(key)?.replicas.wanted ?? 0) > 0;
  }

  /** Calls back when `isBlind` may say something else. Returns the way to end it. */
  watchBlind(key: ObjectKey, listener: () => void): () => void {
    const listeners = this.#listeners.get(keyText(key)) ?? new Set();
    this.#listeners.set(keyText(key), listeners.add(listener));
    return () => listeners.delete(listener);
  }

  list(): ServedState[] {
    return [...this.#entries.values()].map(({ namespace, name, workload, mode }) => ({
      namespace,
      service: name,
      workload: workload?.name ?? '',
      isDirect: mode === 'serve',
    }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const step of this.#undo.splice(0)) step();
    for (const entry of this.#entries.values()) entry.close();
    await Promise.all([this.#services.close(), this.#slices.close()]);
  }

  /** Without the rights nothing is kept, and everything else goes on. */
  async #isRefused(): Promise<boolean> {
    const { client, namespace, log } = this.#options;
    try {
      await client.probe(resources.services, namespace);
      await client.probe(resources.endpointSlices, namespace);
      return false;
    } catch (error) {
      // What is away for a while is waited for.
      if (!isStatus(error, 403)) return false;
      const hint = 'install it with --serve-services';
      log('warn', 'endpoints of Services are not kept: the rights are missing', { hint, error: error.message });
      this.#closed = true;
      return true;
    }
  }

  // ---- Services and slices

  #takeService(object: KubernetesObject): void {
    if (!isServeService(object)) return this.#dropService(object);
    const id = objectName(object);
    const known = this.#entries.get(id);
    const { client, clock, statuses, mayWrite, log } = this.#options;
    const entry =
      known ??
      new ServedService(object, {
        ...{ client, clock, statuses, mayWrite, log },
        podsOf: () => this.#options.pods.list(),
        onDirect: () => this.#tellBlind(entry),
        onLeft: () => this.#options.drainsMayEnd(),
        remove: (slice) => void this.#delete(slice),
        look: () => this.#look(entry),
      });
    if (known && known.take(object) === 'same') return;
    this.#entries.set(id, entry);
    this.#index(entry);
    this.#look(entry);
  }

  #dropService(object: KubernetesObject): void {
    const entry = this.#entries.get(objectName(object));
    if (!entry) return;
    this.#entries.delete(objectName(object));
    entry.close();
    this.#unindex(entry);
    this.#options.statuses.forget(resources.services, object);
    void this.#unsay(object);
    for (const slice of this.#slices.list()) {
      if (slice.namespace === entry.namespace && slice.labels[serviceLabel] === entry.name) void this.#delete(slice);
    }
    this.#options.drainsMayEnd();
  }

  #takeSlice(object: KubernetesObject, isGone: boolean): void {
    const entry = isOwnSlice(object) ? this.#entryOfSlice(object) : undefined;
    if (!entry) return;
    entry.takeSlice(object, isGone);
    this.#look(entry);
  }

  #entryOfSlice({ namespace, labels }: KubernetesObject): ServedService | undefined {
    return this.#entries.get(objectName({ namespace, name: labels[serviceLabel] ?? '' }));
  }

  async #delete(slice: KubernetesObject): Promise<void> {
    const { client, mayWrite, log } = this.#options;
    if (!isOwnSlice(slice) || !mayWrite() || this.#closed) return;
    try {
      await client.delete(resources.endpointSlices, slice, { uid: slice.uid });
    } catch (error) {
      const data = { slice: objectName(slice), addresses: addressesOf(slice.body).length, error: String(error) };
      log('warn', 'the endpoints of a Service could not be removed', data);
    }
  }

  /** A Service without the label says nothing of a path any more. */
  async #unsay(service: KubernetesObject): Promise<void> {
    const { client, mayWrite, log } = this.#options;
    if (!mayWrite() || this.#closed) return;
    try {
      await client.apply(resources.services, service, { status: { conditions: [] } }, 'status');
    } catch (error) {
      // It has gone.
      if (isStatus(error, 404)) return;
      log('warn', 'status not written', { object: objectName(service), error: String(error) });
    }
  }

  #index(entry: ServedService): void {
    const { workload } = entry;
    const key = workload && keyText(keyOf(workload));
    if (key !== null && this.#byWorkload.get(key)?.has(entry)) return;
    this.#unindex(entry);
    if (key === null) return;
    const named = this.#byName.get(entry.name) ?? new Set();
    this.#byName.set(entry.name, named.add(entry));
    this.#byWorkload.set(key, (this.#byWorkload.get(key) ?? new Set()).add(entry));
    this.#options.namesChanged(key);
    // The bare name was that of the other one alone until now.
    if (named.size === 2) this.#namesakesChanged(entry);
  }

  #unindex(entry: ServedService): void {
    const named = this.#byName.get(entry.name);
    if (named?.delete(entry) && named.size === 1) this.#namesakesChanged(entry);
    if (named?.size === 0) this.#byName.delete(entry.name);
    for (const [key, entries] of this.#byWorkload) {
      if (!entries.delete(entry)) continue;
      if (entries.size === 0) this.#byWorkload.delete(key);
      this.#options.namesChanged(key);
    }
  }

  #namesakesChanged(entry: ServedService): void {
    for (const other of this.#byName.get(entry.name) ?? []) {
      const { workload } = other;
      if (other !== entry && workload) this.#options.namesChanged(keyText(keyOf(workload)));
    }
  }

  #tellBlind({ workload }: ServedService): void {
    if (!workload) return;
    for (const listener of [...(this.#listeners.get(keyText(keyOf(workload))) ?? [])]) listener();
  }

  // ---- Decisions

  #look(entry: ServedService): void {
    if (!this.#released || this.#closed) return;
    const { facts } = this.#options;
    const { workload: at, setting } = entry;
    if (!at || !setting) return entry.undecided();
    const key = keyOf(at);
    const status = facts.status(key);
    if (!status || facts.isAdvised(at)) return entry.undecided();
    const { scaledBy, inFlight, held, replicas } = status;
    const ready = (this.#workloads.get(keyText(key))?.endpoints ?? []).filter(({ draining }) => !draining);
    const spec = scaledBy?.kind === 'ScaledObject' ? facts.specOf(at, scaledBy.name) : null;
    entry.decide({
      ready,
      wanted: replicas.wanted,
      observed: inFlight + held,
      gateways: [...this.#gateways.values()],
      blind: blindReason(status, spec, ready),
      isIdle: isIdle(status, spec),
    });
  }
}
