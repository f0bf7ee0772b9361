import { decide } from '@ebb/core';
import { replayJournal } from '@ebb/engine';
import type { ReplicaStatus, WorkloadStatus } from '@ebb/documents';
import { keyText, type WorkloadSpec } from '@ebb/documents';
import type { VirtualSystem } from './virtualSystem.ts';

/** A drain is seen at the end of the event that began it, whose promises may have crossed a millisecond. */
const observedLateMs = 2;

const heldOnTo: readonly ReplicaStatus['phase'][] = ['pending', 'starting', 'ready', 'backoff'];

/**
 * What must hold after every event of a run, whatever breaks. `check` throws with the virtual time at which it did not.
 * (That a request has one outcome and not two is checked by the virtual gateway itself, that the journal has no gaps by
 * the memory store.)
 */
export class Invariants {
  readonly #system: VirtualSystem;
  /** Workloads as they were applied, by key text; to be kept up to date by the test. */
  readonly specs = new Map<string, WorkloadSpec>();
  /** Since when the engine has each draining replica draining, milliseconds. */
  readonly #drainingSinceMs = new Map<string, number>();
  #acted = 0;
  #violation: Error | null = null;

  constructor(system: VirtualSystem) {
    this.#system = system;
    system.clock.afterEvent = () => this.check();
    system.gateway.onAssign = ({ replica }, slots) => this.#assigned(replica ?? '', slots);
    system.driver.onStop = (id) => this.#stopped(id);
  }

  expect(spec: WorkloadSpec): void {
    this.specs.set(keyText(spec.key), spec);
  }

  check(): void {
    if (this.#violation) throw this.#violation;
    const { clock, driver, gateway } = this.#system;
    // What an engine does to replicas shows at its ports: nothing to look at before it did something.
    const acted = driver.asked + gateway.configured;
    if (!this.#system.isRunning || acted === this.#acted) return;
    this.#acted = acted;
    for (const status of this.#system.engine.statuses()) this.#checkStatus(status, clock.nowMs());
  }

  /** At the end, after quiet time: nothing is left open, and only the minimum runs. */
  checkQuiet(): void {
    const { gateway, store, driver, engine } = this.#system;
    if (gateway.openCount() > 0) this.#broken(`${gateway.openCount()} requests have no outcome`);
    const lost = gateway.exchanges.filter((exchange) => exchange.outcome === null);
    if (lost.length > 0) this.#broken(`request ${lost[0]?.id} was lost`);
    for (const status of engine.statuses()) {
      const { replicas } = status;
      const least = this.#leastReplicas(status);
      if (replicas.ready !== least || replicas.starting + replicas.draining > 0) {
        this.#broken(`${status.name}: not at its minimum of ${least}: ${JSON.stringify(status.replicaList)}`);
      }
    }
    const open = [...store.rows.values()].filter((row) => row.toMs === null).map((row) => row.replica);
    const running = driver.replicas().map((seen) => seen.id);
    if (open.sort().join() !== running.sort().join()) {
      this.#broken(`the ledger has [${open}] open, the driver runs [${running}]`);
    }
  }

  /** Every segment of the journal gives the recorded decisions again. Returns how many were compared. */
  checkReplay(): number {
    const segments = Map.groupBy(this.#system.store.records, (record) => record.segment);
    let compared = 0;
    for (const [segment, records] of segments) {
      for (const one of replayJournal(records, decide)) {
        if (one.matches === null) continue;
        compared++;
        if (!one.matches)
          this.#broken(`segment ${segment}: another decision at ${one.observation.nowMs} when replayed`);
      }
    }
    return compared;
  }

  /** A drain of a replica that got nothing any more anyway (its readiness probe said no) shows at no port. */
  #drainInJournalMs(id: string): number {
    const drain = this.#system.store.records.findLast(({ body }) => {
      return (
        typeof body === 'object' &&
        body !== null &&
        'replica' in body &&
        body.replica === id &&
        'type' in body &&
        body.type === 'drain'
      );
    });
    return drain?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Slots may become fewer while requests are in flight; none is given away beyond them. */
  #assigned(replica: string, slots: number): void {
    const inFlight = this.#system.gateway.inFlight(replica);
    if (slots > 0 && inFlight > slots) this.#broken(`${replica} has ${inFlight} requests in ${slots} slots`);
  }

  /** A workload keeps one replica for another that depends on it and never goes to zero. */
  #leastReplicas({ cluster, namespace, name, minReplicas }: WorkloadStatus): number {
    const key = keyText({ cluster, namespace, name });
    const needed = [...this.specs.values()].some(
      (spec) => spec.scaling.minReplicas > 0 && spec.dependsOn.some((dependency) => keyText(dependency) === key),
    );
    return Math.max(minReplicas, needed ? 1 : 0);
  }

  #checkStatus(status: WorkloadStatus, nowMs: number): void {
    const spec = this.specs.get(`${status.cluster}/${status.namespace}/${status.name}`);
    const held = status.replicaList.filter((replica) => heldOnTo.includes(replica.phase)).length;
    if (spec) {
      const most = spec.scaling.maxReplicas + (spec.update.type === 'Rolling' ? spec.update.maxSurge : 0);
      if (held > most) this.#broken(`${status.name} has ${held} replicas, at most ${most} are allowed`);
    }
    for (const { id, phase } of status.replicaList) {
      if (heldOnTo.includes(phase)) this.#drainingSinceMs.delete(id);
      else if (phase === 'draining' && !this.#drainingSinceMs.has(id)) this.#drainingSinceMs.set(id, nowMs);
    }
  }

  #stopped(id: string): void {
    const { gateway, clock, driver } = this.#system;
    if (gateway.inFlight(id) === 0) return;
    const seen = driver.replicas().find((replica) => replica.id === id);
    if (!seen || seen.phase === 'failed' || seen.phase === 'backoff') return;
    const spec = this.specs.get(keyText(seen.workload));
    const sinceMs = Math.min(this.#drainingSinceMs.get(id) ?? clock.nowMs(), this.#drainInJournalMs(id));
    const waitedMs = clock.nowMs() - sinceMs;
    if (spec && waitedMs < spec.serving.drainMs - observedLateMs) {
      this.#broken(`${id} was stopped with ${gateway.inFlight(id)} in flight, ${waitedMs} ms into its drain time`);
    }
  }

  #broken(what: string): never {
    // Kept as well, in case whoever called swallows it.
    this.#violation ??= new Error(`at ${this.#system.clock.nowUs() / 1e6} s of virtual time: ${what}`);
    throw this.#violation;
  }
}
