import type { Clock } from '@ebb/core';
import type { MachineSpec } from '@ebb/documents';
import type { Assignment } from './book.ts';
import type { Hands } from './hands.ts';

/** What the last checks of a machine said. */
export interface Health {
  /** False after two checks in a row that failed. */
  isWell: boolean;
  problem: string | null;
}

export interface HealthRoundsOptions {
  clock: Clock;
  hands: Hands;
  assignments(): readonly Assignment[];
  machine(name: string): MachineSpec | null;
  /** The machine may take replicas, for the first time. */
  onReady(id: string): Promise<void>;
  onChange(): void;
}

const everyMs = 5_000;
const connectWithinMs = 5_000;
/** One check that fails may be the network. */
const failuresUntilLost = 2;

/** Checks machines that are awake, again and again, one check of each at a time. */
export class HealthRounds {
  readonly #options: HealthRoundsOptions;
  readonly #failures = new Map<string, { count: number; problem: string }>();
  readonly #underWay = new Set<string>();
  #cancel = () => {};
  #isStopped = false;

  constructor(options: HealthRoundsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#round();
  }

  /** A round now, out of turn. */
  soon(): void {
    this.#cancel();
    this.#round();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  of(id: string): Health {
    const failed = this.#failures.get(id);
    return { isWell: (failed?.count ?? 0) < failuresUntilLost, problem: failed?.problem ?? null };
  }

  #round(): void {
    if (this.#isStopped) return;
    const { assignments, clock } = this.#options;
    const awake = assignments().filter(({ stage }) => stage === 'awake');
    for (const id of this.#failures.keys()) if (!awake.some((one) => one.id === id)) this.#failures.delete(id);
    for (const assignment of awake) void this.#check(assignment);
    this.#cancel = clock.at(clock.nowMs() + everyMs, () => this.#round());
  }

  async #check(assignment: Assignment): Promise<void> {
    const { id } = assignment;
    const { clock, machine, onChange, onReady } = this.#options;
    const spec = machine(assignment.machine);
    if (spec === null || this.#underWay.has(id)) return;
    this.#underWay.add(id);
    const problem = await this.#problemOf(spec, assignment, clock.nowMs());
    this.#underWay.delete(id);
    if (this.#isStopped || problem === 'not yet') return;
    if (problem === null) {
      this.#failures.delete(id);
      // A book that cannot be written now is written in the next round.
      if (assignment.readyAtMs === null) await onReady(id).catch(() => {});
    } else this.#failures.set(id, { count: (this.#failures.get(id)?.count ?? 0) + 1, problem });
    onChange();
  }

  /** Where nothing tells, a machine that is always on is well, and one that was woken after its expected time. */
  async #problemOf(machine: MachineSpec, assignment: Assignment, nowMs: number): Promise<string | null> {
    const { address, commandTimeoutMs, health, name, wake } = machine;
    const { hands } = this.#options;
    if (health) return hands.run(health, { EBB_MACHINE: name, EBB_NODE: assignment.id }, commandTimeoutMs);
    if (address) return hands.connect(address, Math.min(connectWithinMs, commandTimeoutMs));
    const { expectedMs, wokenAtMs } = assignment;
    return wake === null || nowMs >= (wokenAtMs ?? nowMs) + expectedMs ? null : 'not yet';
  }
}
