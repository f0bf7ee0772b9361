import type { Clock, GatewayEndpoint } from '@ebb/core';
import { Backoff } from '../client/backoff.ts';
import type { KubernetesClient } from '../client/client.ts';
import { isOlderVersion, type KubernetesObject, objectName } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { textAt, timeText } from '../client/values.ts';
import type { StatusWriter } from '../store/statusWriter.ts';
import {
  type Address,
  addressesOf,
  isOwnSlice,
  pathOfSlice,
  type Slice,
  slicesOf,
  sliceText,
} from './endpointSlices.ts';
import { addressAt } from './gatewayAddresses.ts';
import { decidePath, type PathFacts, type PathMemory, type PathMode, type PathReason } from './serveMode.ts';
import { readServeService, type ServeProblem, type ServeService } from './serveService.ts';

export interface ServedServiceOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly statuses: StatusWriter;
  /** Pods that there are, to say of each endpoint whose it is. */
  podsOf(): KubernetesObject[];
  /** Whether requests go past the gateways may be another matter by now. */
  onDirect(): void;
  /** Proxies have had the time to learn that addresses have left. */
  onLeft(): void;
  /** Takes a slice of its away. */
  remove(slice: KubernetesObject): void;
  /** Time has come to decide again. */
  look(): void;
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

export type ServedFacts = Pick<PathFacts, 'wanted' | 'observed' | 'blind' | 'isIdle'> & {
  readonly ready: readonly GatewayEndpoint[];
  readonly gateways: readonly Address[];
};

interface Said extends PathReason {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly sinceMs: number;
}

/** Of the Service: whether requests go past the gateways. */
export const outOfPathCondition = 'ebb.dev/OutOfPath';

/** One Service whose endpoints are kept: what was decided for it, what its slices say, and since when. */
export class ServedService {
  readonly namespace: string;
  readonly name: string;
  readonly #options: ServedServiceOptions;
  readonly #backoff: Backoff;
  /** Its slices as the server has them. */
  readonly #slices = new Map<string, KubernetesObject>();
  /** Addresses of a write that is under way. */
  #underWay: ReadonlySet<string> = new Set();
  /** When addresses left. */
  readonly #left = new Map<string, number>();
  readonly #timers = new Set<() => void>();
  readonly #podAddresses = new Map<string, Address>();
  #object: KubernetesObject;
  #setting: ServeService | null = null;
  #problem: ServeProblem | null = null;
  #memory: PathMemory | null = null;
  #said: Said | null = null;
  #wanted: readonly Slice[] = [];
  /** Until then what an earlier operator has taken out may still be reached. */
  #inheritedUntilMs = Number.NEGATIVE_INFINITY;
  #directUntilMs = Number.NEGATIVE_INFINITY;
  #revisitAtMs: number | null = null;
  #wasDirect = false;
  #isWriting = false;
  #isWaiting = false;
  #closed = false;

  constructor(object: KubernetesObject, options: ServedServiceOptions) {
    this.namespace = object.namespace;
    this.name = object.name;
    this.#options = options;
    this.#backoff = new Backoff(options.client.random);
    this.#object = object;
    this.#read();
  }

  /** What it says; null where it was never valid, or its endpoints are somebody else's affair. */
  get setting(): ServeService | null {
    return this.#problem?.isOthers ? null : this.#setting;
  }

  get workload(): { readonly namespace: string; readonly name: string } | null {
    return this.setting && { namespace: this.namespace, name: this.setting.workload };
  }

  get mode(): PathMode {
    return this.#memory?.mode ?? this.#modeInForce() ?? 'proxy';
  }

  /** A newer version of the Service; its status alone is no news. */
  take(object: KubernetesObject): 'new' | 'same' {
    const before = textOf(this.#object);
    const isOther = this.#object.uid !== object.uid;
    this.#object = object;
    if (!isOther && before === textOf(object)) return 'same';
    this.#read();
    return 'new';
  }

  /** A slice as the server has it now. */
  takeSlice(object: KubernetesObject, isGone: boolean): void {
    const known = this.#slices.get(object.name);
    if (known && isOlderVersion(object.resourceVersion, known.resourceVersion)) return;
    const reached = this.#addresses();
    const wasDirect = this.#modeInForce() === 'serve';
    if (isGone) this.#slices.delete(object.name);
    else this.#slices.set(object.name, object);
    this.#noteLeft(reached, wasDirect);
    if (this.#memory) return;
    // What an earlier operator has decided goes on.
    const path = pathOfSlice(object);
    const nowMs = this.#options.clock.nowMs();
    this.#inheritedUntilMs = nowMs + this.#graceMs();
    this.#at(this.#inheritedUntilMs, () => this.#options.onLeft());
    if (path?.mode === 'serve') this.#memory = { ...path, sinceMs: nowMs, neededAtMs: nowMs };
  }

  /** Whether requests may go straight to an address: it is in a slice, or was until a moment ago. */
  isReached(host: string, nowMs: number): boolean {
    if (this.#addresses().has(host) || this.#underWay.has(host) || nowMs < this.#inheritedUntilMs) return true;
    const leftAtMs = this.#left.get(host);
    return leftAtMs !== undefined && nowMs < leftAtMs + this.#graceMs();
  }

  /** Whether requests may go to pods past the gateways. */
  isDirect(nowMs: number): boolean {
    return this.#memory?.mode === 'serve' || this.#modeInForce() === 'serve' || nowMs < this.#directUntilMs;
  }

  /** Nobody decides on its workload: its endpoints stay as they are. */
  undecided(): void {
    const problem = this.#problem;
    const what = this.#setting ? `workload ${this.#setting.workload}` : 'its workload';
    const nobody = {
      code: 'NotDecided',
      message: `${what} is not in Ebb's charge now: its endpoints stay as they are`,
    };
    this.#say('Unknown', problem ?? nobody);
    if (!problem?.isOthers || !this.#options.mayWrite()) return;
    for (const slice of [...this.#slices.values()]) {
      this.#slices.delete(slice.name);
      this.#options.remove(slice);
    }
  }

  decide({ ready, gateways, ...rest }: ServedFacts): void {
    const setting = this.#setting;
    if (!setting || this.#closed) return;
    const { clock, log } = this.#options;
    const before = this.mode;
    const decision = decidePath(this.#memory, {
      ...rest,
      nowMs: clock.nowMs(),
      ready: ready.length,
      concurrency: ready.length === 0 ? 0 : Math.min(...ready.map(({ slots }) => slots)),
      gateways: gateways.length,
      targetBurstCapacity: setting.targetBurstCapacity,
      steadyMs: setting.serveAfterMs,
    });
    this.#memory = decision.memory;
    const { mode } = decision;
    if (mode !== before) {
      const path = mode === 'serve' ? 'straight to the pods' : 'through the gateways';
      log('info', 'requests of a Service take another path', { service: this.#id(), path, why: decision.message });
    }
    this.#say(mode === 'serve' ? 'True' : 'False', this.#problem ?? decision);
    const addresses = mode === 'serve' ? this.#addressesOf(ready) : gateways;
    const loadPerReplica = mode === 'serve' ? decision.memory.loadPerReplica : 0;
    this.#wanted = slicesOf(this.#object, setting, { mode, loadPerReplica, addresses }, new Set(this.#slices.keys()));
    this.#revisit(decision.revisitAtMs);
    this.#tellDirect();
    if (!this.#isWaiting) void this.#write();
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #id(): string {
    return objectName(this);
  }

  #graceMs(): number {
    return this.#setting?.endpointGraceMs ?? 0;
  }

  #read(): void {
    const read = readServeService(this.#object);
    this.#problem = 'problem' in read ? read.problem : null;
    // What was valid before holds until the slip of the pen is mended.
    if (!('problem' in read)) this.#setting = read;
  }

  #modeInForce(): PathMode | null {
    const modes = [...this.#slices.values()].map((slice) => pathOfSlice(slice)?.mode ?? null);
    return modes.includes('serve') ? 'serve' : (modes[0] ?? null);
  }

  #addresses(): Set<string> {
    return new Set([...this.#slices.values()].flatMap(({ body }) => addressesOf(body)));
  }

  /** Proxies hear of what has left a little later. */
  #noteLeft(before: ReadonlySet<string>, wasDirect: boolean): void {
    const nowMs = this.#options.clock.nowMs();
    const now = this.#addresses();
    const left = [...before].filter((address) => !now.has(address));
    for (const address of now) this.#left.delete(address);
    for (const address of left) this.#left.set(address, nowMs);
    const isProxyNow = wasDirect && this.#modeInForce() !== 'serve';
    if (isProxyNow) this.#directUntilMs = nowMs + this.#graceMs();
    if (left.length === 0 && !isProxyNow) return;
    this.#at(nowMs + this.#graceMs(), () => {
      for (const address of left) if (this.#left.get(address) === nowMs) this.#left.delete(address);
      this.#tellDirect();
      this.#options.onLeft();
    });
  }

  /** Pods as endpoints, with where they run: each pod is looked for once. */
  #addressesOf(ready: readonly GatewayEndpoint[]): Address[] {
    const ids = new Set(ready.map(({ replica }) => replica));
    for (const id of this.#podAddresses.keys()) if (!ids.has(id)) this.#podAddresses.delete(id);
    const missing = ready.some(({ replica, host }) => this.#podAddresses.get(replica)?.ip !== host);
    const pods = missing ? this.#options.podsOf().filter((pod) => pod.namespace === this.namespace) : [];
    return ready.map(({ replica, host, port }) => {
      const known = this.#podAddresses.get(replica);
      if (known?.ip === host && known.port === port) return known;
      const pod = pods.find(
        ({ body, deletedAtMs }) => deletedAtMs === null && textAt(body, 'status', 'podIP') === host,
      );
      const address = pod ? addressAt(pod, host, port) : { ip: host, port, node: null, pod: null };
      if (pod) this.#podAddresses.set(replica, address);
      return address;
    });
  }

  #tellDirect(): void {
    const isDirect = this.isDirect(this.#options.clock.nowMs());
    if (isDirect === this.#wasDirect) return;
    this.#wasDirect = isDirect;
    this.#options.onDirect();
  }

  #revisit(atMs: number | null): void {
    if (atMs === null || atMs === this.#revisitAtMs) return;
    this.#revisitAtMs = atMs;
    this.#at(atMs, () => {
      if (this.#revisitAtMs === atMs) this.#options.look();
    });
  }

  #at(atMs: number, callback: () => void): void {
    if (this.#closed) return;
    const cancel = this.#options.clock.at(atMs, () => {
      this.#timers.delete(cancel);
      callback();
    });
    this.#timers.add(cancel);
  }

  /** Brings the server to what is wanted, one write at a time. */
  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    const { client, mayWrite } = this.#options;
    try {
      for (let slice = this.#next(); slice && mayWrite() && !this.#closed; slice = this.#next()) {
        const at = { namespace: this.namespace, name: slice.name };
        if (!this.#slices.has(slice.name)) {
          const there = await client.get(resources.endpointSlices, at);
          if (there && !isOwnSlice(there)) throw new Error(`the EndpointSlice ${slice.name} is there and is not Ebb's`);
        }
        this.#underWay = new Set(addressesOf(slice.body));
        const written = await client.apply(resources.endpointSlices, at, slice.body);
        this.takeSlice(written, false);
        this.#underWay = new Set();
        this.#backoff.reset();
        this.#tellDirect();
      }
    } catch (error) {
      if (!this.#closed) this.#tryLater(error);
    } finally {
      this.#isWriting = false;
    }
  }

  #tryLater(error: unknown): void {
    const { clock, log } = this.#options;
    log('warn', 'the endpoints of a Service could not be written', { service: this.#id(), error: String(error) });
    this.#isWaiting = true;
    this.#at(clock.nowMs() + this.#backoff.nextMs(), () => {
      this.#isWaiting = false;
      this.#options.look();
    });
  }

  /** The first slice that differs from what the server has. */
  #next(): Slice | undefined {
    return this.#wanted.find(({ name, body }) => {
      const there = this.#slices.get(name);
      return !there || sliceText(there.body) !== sliceText(body);
    });
  }

  /** The same word keeps its moment and its numbers: a condition is not written anew for each request. */
  #say(status: Said['status'], { code, message }: PathReason): void {
    const said = this.#said;
    if (said?.status === status && said.code === code && withoutNumbers(said.message) === withoutNumbers(message))
      return;
    const sinceMs = said?.status === status ? said.sinceMs : this.#options.clock.nowMs();
    this.#said = { status, code, message, sinceMs };
    const condition = {
      type: outOfPathCondition,
      status,
      reason: code,
      message,
      lastTransitionTime: timeText(sinceMs),
    };
    this.#options.statuses.changed(resources.services, this.#object, () => ({ conditions: [condition] }));
  }
}

function withoutNumbers(message: string): string {
  return message.replaceAll(/-?\d+/g, '#');
}

function textOf({ labels, annotations, body }: KubernetesObject): string {
  return JSON.stringify([labels, annotations, body.spec]);
}
