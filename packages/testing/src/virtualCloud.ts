import type { NodeLaunch, NodeObservation, OfferingChoice, ProviderErrorCode } from '@ebb/core';
import { ProviderError } from '@ebb/core';
import { SeededRandom } from './random.ts';
import type { VirtualClock } from './virtualClock.ts';

/** How one machine's start goes, counted from when it was accepted. */
export interface VirtualNodePlan {
  /** Until there is a machine, it is up, and replicas may be placed on it. `Infinity`: never. */
  bootingMs: number;
  runningMs: number;
  readyMs: number;
  /** Set: it ends by itself after this. */
  diesAfterMs?: number;
}

export interface VirtualCloudOptions {
  clock: VirtualClock;
  random?: SeededRandom;
  /** Default: exactly the launch's start stages; a machine exists after a tenth of the boot. */
  plan?: (launch: NodeLaunch, random: SeededRandom) => VirtualNodePlan;
  /** Told to end → gone. Default 5 s. */
  stopMs?: number;
  /** One way of a call, and of an event. Default 20 ms. */
  linkMs?: number;
}

/** What a refusal holds for; what is left out: for all. */
export type OfferingPattern = Partial<OfferingChoice>;

interface Refusal {
  pattern: OfferingPattern;
  code: ProviderErrorCode;
  message: string;
  retryAfterMs: number | null;
  left: number;
}

export interface VirtualMachine {
  seen: NodeObservation;
  labels: Readonly<Record<string, string>>;
  /** Rises with each end: what was planned for an earlier life is void. */
  life: number;
}

type CloudListener = (change: { cluster: string; node: NodeObservation }) => void;

/**
 * A cloud on virtual time, of which each cluster's `VirtualProvider` sees its own machines. Faults are injected by calling it; a
 * machine outlives the provider and the engine that asked for it.
 */
export class VirtualCloud {
  readonly clock: VirtualClock;
  readonly linkMs: number;
  readonly #random: SeededRandom;
  readonly #stopMs: number;
  readonly #machines = new Map<string, VirtualMachine>();
  /** Every id ever bought: asking again buys nothing, also when its machine is gone. */
  readonly #ids = new Map<string, string>();
  readonly #listeners = new Set<CloudListener>();
  #refusals: Refusal[] = [];
  #throttledMs: number | null = null;
  #lostAnswers = 0;
  #number = 0;
  plan: (launch: NodeLaunch, random: SeededRandom) => VirtualNodePlan;
  /** The cloud's clock minus Ebb's: every time it tells is off by this. */
  skewMs = 0;
  /** Every launch that led to a machine, in order. */
  readonly bought: NodeLaunch[] = [];
  /** A machine is no more, for whatever reason: what runs on it is broken. */
  onEnd: ((node: NodeObservation) => void) | null = null;

  constructor(options: VirtualCloudOptions) {
    this.clock = options.clock;
    this.#random = options.random ?? new SeededRandom(1);
    this.plan = options.plan ?? plannedStart;
    this.#stopMs = options.stopMs ?? 5000;
    this.linkMs = options.linkMs ?? 20;
  }

  /** Launches and lists are refused as `throttled` from now on; null: no longer. */
  throttle(retryAfterMs: number | null): void {
    this.#throttledMs = retryAfterMs;
  }

  /** Launches that fit are refused. Returns the way to end that; `times` ends it by itself. */
  refuse(
    pattern: OfferingPattern,
    code: ProviderErrorCode,
    options: { message?: string; retryAfterMs?: number; times?: number } = {},
  ): () => void {
    const { message = `virtual ${code}`, retryAfterMs = null, times = Number.POSITIVE_INFINITY } = options;
    const refusal: Refusal = { pattern, code, message, retryAfterMs, left: times };
    this.#refusals.push(refusal);
    return () => {
      this.#refusals = this.#refusals.filter((other) => other !== refusal);
    };
  }

  /** The next launches are accepted, and their answers lost: the call rejects with `unavailable`. */
  loseAnswers(times = 1): void {
    this.#lostAnswers += times;
  }

  /** The machine ends by itself: power, kernel, somebody with a console. Told as `gone`. */
  kill(id: string, failure = 'terminated', message = 'ended outside of Ebb'): void {
    const machine = this.#find(id);
    if (machine) this.#gone(machine, failure, message);
  }

  /** It is no more, and no event says so: only a list or a snapshot without it. */
  vanish(id: string): void {
    const machine = this.#find(id);
    if (!machine) return;
    machine.life++;
    this.#machines.delete(machine.seen.providerId ?? '');
    this.onEnd?.(structuredClone(machine.seen));
  }

  /** It is there and paid for, and does not answer any more. */
  hang(id: string): void {
    const machine = this.#find(id);
    if (machine?.seen.phase !== 'ready') return;
    this.#report(machine, { phase: 'running', failure: 'unreachable', message: 'does not answer' });
  }

  recover(id: string): void {
    const machine = this.#find(id);
    if (machine?.seen.failure === 'unreachable') this.#report(machine, { phase: 'ready', failure: null, message: '' });
  }

  /** The cloud's word that it may (`rebalance`) or will take it, without doing so. Null takes the word back. */
  notice(id: string, kind: 'interruption' | 'rebalance' | null, goesAtMs: number | null = null): void {
    const machine = this.#find(id);
    if (!machine) return;
    const at = goesAtMs === null ? null : goesAtMs + this.skewMs;
    this.#report(machine, { notice: kind === null ? null : { kind, goesAtMs: at } });
  }

  /** Spot notice, then it is taken after `noticeMs`. */
  interrupt(id: string, noticeMs = 120_000): void {
    const machine = this.#find(id);
    if (!machine) return;
    this.notice(id, 'interruption', this.clock.nowMs() + noticeMs);
    this.#later(machine, noticeMs, () => this.#gone(machine, 'interrupted', 'taken back by the cloud'));
  }

  /** A machine with the cluster's mark that no engine asked for. Returns its provider id. */
  addForeign(cluster: string, offering: OfferingChoice, known: { id?: string; pool?: string } = {}): string {
    const machine = this.#add(cluster, known.pool ?? null, known.id ?? null, offering, {});
    this.#report(machine, { phase: 'ready', readyAtMs: this.#nowMs() });
    return machine.seen.providerId ?? '';
  }

  /** What is there, for tests. */
  machines(): NodeObservation[] {
    return [...this.#machines.values()].map(({ seen }) => structuredClone(seen));
  }

  /** Labels and marks of a machine, as somebody sees them who looks at the cloud. */
  marksOf(id: string): Readonly<Record<string, string>> | null {
    const machine = this.#find(id);
    if (!machine) return null;
    const { seen, labels } = machine;
    const marks = { 'ebb.dev/cluster': seen.cluster, 'ebb.dev/pool': seen.pool, 'ebb.dev/node': seen.id };
    const known = Object.entries(marks).flatMap(([key, value]) => (value === null ? [] : [[key, value]]));
    return { ...labels, ...Object.fromEntries(known) };
  }

  /** For `VirtualProvider`: as a cloud's own interface would do it. */
  launch(launch: NodeLaunch): void {
    this.checkThrottle();
    if (!this.#ids.has(launch.id)) {
      const refusal = this.#refusals.find(({ pattern, left }) => left > 0 && fits(launch.offering, pattern));
      if (refusal) {
        refusal.left--;
        const retry = refusal.retryAfterMs === null ? {} : { retryAfterMs: refusal.retryAfterMs };
        throw new ProviderError(refusal.code, refusal.message, retry);
      }
      this.#buy(launch);
    }
    if (this.#lostAnswers === 0) return;
    this.#lostAnswers--;
    throw new ProviderError('unavailable', 'the answer was lost');
  }

  terminate(cluster: string, idOrProviderId: string): void {
    this.checkThrottle();
    const machine = this.#find(idOrProviderId);
    if (!machine || machine.seen.cluster !== cluster || machine.seen.phase === 'stopping') return;
    machine.life++;
    this.#report(machine, { phase: 'stopping', message: 'asked to end' });
    this.#later(machine, this.#stopMs, () => this.#gone(machine, null, ''));
  }

  checkThrottle(): void {
    if (this.#throttledMs === null) return;
    throw new ProviderError('throttled', 'too many requests', { retryAfterMs: this.#throttledMs });
  }

  listen(listener: CloudListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #buy(launch: NodeLaunch): void {
    this.bought.push(launch);
    const machine = this.#add(launch.cluster, launch.pool, launch.id, launch.offering, launch.labels);
    this.#report(machine, {});
    const plan = this.plan(launch, this.#random);
    this.#later(machine, plan.bootingMs, () => this.#report(machine, { phase: 'booting' }));
    this.#later(machine, plan.runningMs, () => this.#report(machine, { phase: 'running' }));
    this.#later(machine, plan.readyMs, () => this.#report(machine, { phase: 'ready', readyAtMs: this.#nowMs() }));
    if (plan.diesAfterMs !== undefined)
      this.#later(machine, plan.diesAfterMs, () => this.#gone(machine, 'terminated', 'ended by itself'));
  }

  #add(
    cluster: string,
    pool: string | null,
    id: string | null,
    offering: OfferingChoice,
    labels: Readonly<Record<string, string>>,
  ): VirtualMachine {
    const providerId = `vm-${String(++this.#number).padStart(6, '0')}`;
    const seen: NodeObservation = {
      id,
      providerId,
      cluster,
      pool,
      offering: { ...offering, zone: offering.zone === '*' ? `${offering.region}a` : offering.zone },
      phase: 'requested',
      askedAtMs: this.#nowMs(),
      readyAtMs: null,
      notice: null,
      message: '',
      failure: null,
    };
    const machine = { seen, labels: { ...labels }, life: 1 };
    this.#machines.set(providerId, machine);
    if (id !== null) this.#ids.set(id, providerId);
    return machine;
  }

  #find(idOrProviderId: string): VirtualMachine | undefined {
    return this.#machines.get(this.#ids.get(idOrProviderId) ?? idOrProviderId);
  }

  #later(machine: VirtualMachine, delayMs: number, action: () => void): void {
    if (delayMs === Number.POSITIVE_INFINITY) return;
    const { life } = machine;
    this.clock.afterUs(Math.round(delayMs * 1000), () => {
      if (machine.life === life) action();
    });
  }

  #gone(machine: VirtualMachine, failure: string | null, message: string): void {
    machine.life++;
    this.#machines.delete(machine.seen.providerId ?? '');
    this.#report(machine, { phase: 'gone', failure, message });
    this.onEnd?.(structuredClone(machine.seen));
  }

  #report(machine: VirtualMachine, change: Partial<NodeObservation>): void {
    machine.seen = { ...machine.seen, ...change };
    const { cluster } = machine.seen;
    for (const listener of [...this.#listeners]) listener({ cluster, node: structuredClone(machine.seen) });
  }

  #nowMs(): number {
    return this.clock.nowMs() + this.skewMs;
  }
}

function plannedStart({ startStages }: NodeLaunch): VirtualNodePlan {
  return {
    bootingMs: startStages.bootMs / 10,
    runningMs: startStages.bootMs,
    readyMs: startStages.totalMs,
  };
}

function fits(offering: OfferingChoice, pattern: OfferingPattern): boolean {
  const keys = Object.keys(pattern) as (keyof OfferingChoice)[];
  return keys.every((key) => pattern[key] === undefined || pattern[key] === offering[key]);
}
