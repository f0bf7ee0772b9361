import type { NodeObservation, NodePhase, ProviderErrorCode } from '../../ports/provider.ts';
import type { Offering } from '../types.ts';
import type { FleetNode, FleetOutcome } from './types.ts';

/** Whole numbers and chances that a seed repeats. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761 + 1) >>> 0;
  }
  /** 0 to 1. */
  next(): number {
    this.#state = (Math.imul(this.#state ^ (this.#state >>> 15), 2_246_822_519) + 0x9e3779b9) >>> 0;
    return ((this.#state ^ (this.#state >>> 13)) >>> 0) / 2 ** 32;
  }
  upTo(most: number): number {
    return Math.floor(this.next() * (most + 1));
  }
  chance(part: number): boolean {
    return this.next() < part;
  }
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.upTo(items.length - 1)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

export interface Faults {
  stockOut: number;
  quota: number;
  throttled: number;
  unavailable: number;
  neverJoins: number;
  dies: number;
  interrupted: number;
  /** Spot machines that are gone within minutes. */
  storm: number;
  /** Ready machines that are so no more, for a while or for good. */
  sick: number;
  /** Accepted, and then not to be had: told by the list. */
  stockOutLater: number;
  skewMs: number;
}

interface Machine {
  node: Pick<FleetNode, 'id' | 'pool'>;
  offering: Offering;
  providerId: string;
  phase: NodePhase;
  notice: NodeObservation['notice'];
  askedAtMs: number;
  failure: string | null;
}

/** Rents machines on virtual time, with faults. What it knows is told by `list`, what it answers comes by `answer`. */
export class VirtualCloud {
  readonly machines = new Map<string, Machine>();
  isAway = false;
  /** Zones that have no spot now. */
  readonly noSpotIn = new Set<string>();
  readonly #dice: Dice;
  readonly #faults: Faults;
  readonly #later: (inMs: number, what: () => void) => void;
  readonly #answer: (outcome: FleetOutcome) => void;
  readonly #nowMs: () => number;
  #names = 0;

  constructor(
    dice: Dice,
    faults: Faults,
    later: (inMs: number, what: () => void) => void,
    answer: (outcome: FleetOutcome) => void,
    nowMs: () => number,
  ) {
    this.#dice = dice;
    this.#faults = faults;
    this.#later = later;
    this.#answer = answer;
    this.#nowMs = nowMs;
  }

  launch(node: FleetNode): void {
    const { id } = node;
    const dice = this.#dice;
    const faults = this.#faults;
    const answer = (outcome: FleetOutcome) => this.#later(1 + dice.upTo(3000), () => this.#answer(outcome));
    const refuse = (code: ProviderErrorCode, retryAfterMs: number | null = null) =>
      answer({ type: 'refused', id, code, message: `${code} of ${node.offering.id}`, retryAfterMs });
    if (this.isAway) return refuse('unavailable');
    if (dice.chance(faults.throttled)) return refuse('throttled', dice.pick([null, 30_000]));
    if (!this.machines.has(id)) {
      const { zone, capacityType } = node.offering;
      if (capacityType === 'spot' && this.noSpotIn.has(zone)) return refuse('stock-out');
      if (dice.chance(faults.stockOut)) return refuse('stock-out');
      if (dice.chance(faults.quota)) return refuse('quota');
      if (dice.chance(faults.stockOut / 4)) return refuse('unknown-offering');
      this.#rent(node);
    }
    // The machine is there, the answer gets lost.
    if (dice.chance(faults.unavailable)) return refuse('unavailable');
    answer({ type: 'accepted', id });
  }

  #rent({ id, pool, offering }: FleetNode): void {
    const dice = this.#dice;
    const machine: Machine = {
      ...{ node: { id, pool }, offering, providerId: `i-${this.#names++}`, phase: 'requested', notice: null },
      ...{ askedAtMs: this.#nowMs() + this.#faults.skewMs, failure: null },
    };
    this.machines.set(id, machine);
    if (dice.chance(this.#faults.stockOutLater)) {
      this.#later(dice.upTo(60_000), () => (machine.failure = 'stock-out'));
      return;
    }
    const step = (inMs: number, phase: NodePhase) =>
      this.#later(inMs, () => {
        if (machine.phase !== 'stopping') machine.phase = phase;
      });
    step(500 + dice.upTo(20_000), 'booting');
    if (!dice.chance(this.#faults.neverJoins)) step(40_000 + dice.upTo(100_000), 'ready');
    if (dice.chance(this.#faults.sick)) this.#later(200_000 + dice.upTo(1_000_000), () => this.#sicken(machine));
    if (offering.capacityType === 'spot' && dice.chance(this.#faults.storm)) {
      this.#later(dice.upTo(400_000), () => this.machines.delete(id));
    }
    if (dice.chance(this.#faults.dies)) this.#later(dice.upTo(2_000_000), () => this.machines.delete(id));
    if (offering.capacityType === 'spot' && dice.chance(this.#faults.interrupted)) {
      const noticeMs = dice.pick([30_000, 120_000]);
      const kind = dice.pick(['interruption', 'interruption', 'rebalance'] as const);
      const atMs = dice.upTo(3_000_000);
      this.#later(atMs, () => {
        const goesAtMs = dice.chance(0.3) ? null : this.#nowMs() + noticeMs + this.#faults.skewMs;
        machine.notice = { kind, goesAtMs };
      });
      if (kind === 'interruption') this.#later(atMs + noticeMs, () => this.machines.delete(id));
    }
  }

  #sicken(machine: Machine): void {
    if (machine.phase !== 'ready') return;
    machine.phase = 'running';
    if (this.#dice.chance(0.5)) return;
    this.#later(this.#dice.upTo(400_000), () => {
      if (machine.phase === 'running') machine.phase = 'ready';
    });
  }

  /** A zone has no spot any more: what is there is lost. */
  takeSpot(zone: string): void {
    this.noSpotIn.add(zone);
    for (const [id, { offering }] of this.machines) {
      if (offering.zone === zone && offering.capacityType === 'spot') this.machines.delete(id);
    }
  }

  /** A machine that is none of the engine's. */
  stranger(offering: Offering): void {
    const providerId = `x-${this.#names++}`;
    const machine = { node: { id: '', pool: '' }, offering, providerId, phase: 'ready' as const, notice: null };
    this.machines.set(providerId, { ...machine, askedAtMs: this.#nowMs(), failure: null });
  }

  terminate(key: string): void {
    const machine = this.machines.get(key);
    if (machine === undefined) return;
    // Now and then it is not heard.
    if (this.#dice.chance(0.1)) return;
    machine.phase = 'stopping';
    this.#later(1 + this.#dice.upTo(60_000), () => this.machines.delete(key));
  }

  list(): NodeObservation[] | null {
    if (this.isAway) return null;
    return [...this.machines.values()].map(({ node, offering, providerId, phase, notice, askedAtMs, failure }) => ({
      id: node.id === '' ? null : node.id,
      pool: node.pool === '' ? null : node.pool,
      providerId: phase === 'requested' ? null : providerId,
      offering: {
        ...{ cloud: offering.instanceType.cloud, region: offering.region, zone: offering.zone },
        ...{ instanceType: offering.instanceType.name, capacityType: offering.capacityType },
      },
      ...{ cluster: 'local', phase, notice, askedAtMs, readyAtMs: phase === 'ready' ? askedAtMs : null },
      ...{ message: '', failure },
    }));
  }
}
