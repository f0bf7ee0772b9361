import type { PlacementPod } from '../placement/types.ts';
import { minuteMs } from './fleet.fixture.ts';
import { fleetStep } from './fleetStep.ts';
import { Replicas } from './replicas.fixture.ts';
import { anyFaults, anySpec } from './runs.fixture.ts';
import type {
  FleetAction,
  FleetDecision,
  FleetMemory,
  FleetNode,
  FleetObservation,
  FleetOutcome,
  FleetSpec,
} from './types.ts';
import { checkBought, checkHedges, checkState } from './rules.fixture.ts';
import { Dice, type Faults, VirtualCloud } from './world.fixture.ts';

/** A cluster on virtual time, driven by events and by when the step wants to be asked, never by a clock that ticks. */
export class Simulation {
  readonly dice: Dice;
  readonly cloud: VirtualCloud;
  readonly replicas: Replicas;
  readonly wrong: string[] = [];
  spec: FleetSpec;
  nowMs = 1_000_000;
  memory: FleetMemory | null = null;
  steps = 0;
  launches = 0;
  leaders = 1;
  #events: { atMs: number; what: () => void }[] = [];
  #outcomes: FleetOutcome[] = [];
  /** What has become of each launch. */
  readonly #asked = new Map<string, 'awaited' | 'again' | 'done'>();

  /** Rules, faults and pods are any, but those that are given. */
  constructor(seed: number, fixed: { spec?: FleetSpec; faults?: Faults; pod?: (id: string) => PlacementPod } = {}) {
    this.dice = new Dice(seed);
    this.spec = fixed.spec ?? anySpec(this.dice);
    const later = (inMs: number, what: () => void) => this.later(inMs, what);
    this.replicas = new Replicas(this.dice, later, fixed.pod);
    const answer = (outcome: FleetOutcome) => this.#answer(outcome);
    const faults = fixed.faults ?? anyFaults(this.dice);
    this.cloud = new VirtualCloud(this.dice, faults, later, answer, () => this.nowMs);
  }

  later(inMs: number, what: () => void): void {
    this.#events.push({ atMs: this.nowMs + Math.max(1, Math.round(inMs)), what });
  }

  /** Demand changes, faults come and go, then nothing is wanted any more and all must end. */
  run(): void {
    const { dice, replicas } = this;
    const busyMs = 60 * minuteMs;
    const some = (chance: number, what: () => void) => dice.chance(chance) && this.later(dice.upTo(busyMs), what);
    for (let i = 0; i < 8; i++) some(1, () => replicas.want(dice.pick([0, 1, 2, 5, 12])));
    some(0.3, () => {
      this.cloud.isAway = true;
      this.later(dice.upTo(20 * minuteMs), () => (this.cloud.isAway = false));
    });
    for (let i = 0; i < 3; i++) {
      some(0.4, () => {
        const zone = dice.pick(['a', 'b']);
        this.cloud.takeSpot(zone);
        this.later(dice.upTo(20 * minuteMs), () => this.cloud.noSpotIn.delete(zone));
      });
    }
    some(0.3, () => this.#forget());
    some(0.3, () => this.#changePools(dice.pick(['drift', 'remove'])));
    some(0.2, () => {
      const offering = this.spec.pools[0]?.consolidation.pool.offerings[0]?.offering;
      if (offering) this.cloud.stranger(offering);
    });
    this.later(busyMs, () => {
      replicas.want(0);
      const pools = this.spec.pools.map((own) => withoutReserve(own));
      this.spec = { ...this.spec, pools, isRemoved: dice.chance(0.2) };
    });
    this.advance();
  }

  /** Until nothing is to come any more. `watch` is told how long things were as they are. */
  advance(watch?: (forMs: number) => void, mostSteps = 5000): void {
    for (let wakeAtMs: number | null = this.nowMs; wakeAtMs !== null && this.wrong.length === 0; ) {
      watch?.(Math.max(0, wakeAtMs - this.nowMs));
      this.nowMs = Math.max(wakeAtMs, this.nowMs);
      const due = this.#events.filter(({ atMs }) => atMs <= this.nowMs);
      this.#events = this.#events.filter(({ atMs }) => atMs > this.nowMs);
      for (const { what } of due) what();
      const revisitAtMs = this.#step();
      const times = [...this.#events.map(({ atMs }) => atMs), ...(revisitAtMs === null ? [] : [revisitAtMs])];
      wakeAtMs = times.length === 0 ? null : Math.min(...times);
      if (this.steps > mostSteps) this.fail('it does not come to rest');
    }
  }

  #step(): number | null {
    this.steps++;
    const given = JSON.stringify(this.memory);
    const observation = this.#observe(this.#outcomes);
    this.#outcomes = [];
    const { decision, memory } = fleetStep(this.spec, this.memory, observation, null);
    if (given !== JSON.stringify(this.memory)) this.fail('the memory that it was given was changed');
    this.memory = memory;
    for (const action of decision.actions) this.#carryOut(action, observation);
    this.#check(decision, memory, observation);
    this.replicas.replace(memory.nodes);
    return decision.revisitAtMs;
  }

  #check(decision: FleetDecision, memory: FleetMemory, observation: FleetObservation): void {
    checkState(this, memory, decision);
    checkBought(this, memory, decision);
    checkHedges(this, memory, decision);
    if ((decision.revisitAtMs ?? Number.POSITIVE_INFINITY) <= this.nowMs) this.fail('it wants to be asked in the past');
    if (this.steps % 4 !== 0) return;
    const again = fleetStep(this.spec, memory, { ...this.#observe([]), machines: observation.machines }, null);
    const actions = JSON.stringify(again.decision.actions);
    if (actions !== '[]') this.fail(`asked again of the same, it acts: ${actions.slice(0, 300)}`);
  }

  #observe(outcomes: FleetOutcome[]): FleetObservation {
    return { nowMs: this.nowMs, machines: this.cloud.list(), outcomes, pods: this.replicas.asPods() };
  }

  #carryOut(action: FleetAction, { machines }: FleetObservation): void {
    const { replicas } = this;
    switch (action.type) {
      case 'launch':
        return this.#launch(action.node);
      case 'bind': {
        const one = replicas.all.get(action.pod);
        if (!one || one.bound !== null) this.fail(`${action.pod} is bound and did not wait`);
        if (one) one.bound = { node: action.node, place: action.place };
        const phase = this.memory?.nodes.find(({ id }) => id === action.node)?.phase ?? 'none';
        if (!['asked', 'starting', 'ready'].includes(phase)) this.fail(`bound to a node that is ${phase}`);
        return;
      }
      case 'unbind':
        return replicas.unbind(action.pod);
      case 'drain':
        replicas.drains.set(action.node, action.order);
        return;
      case 'keep':
        return replicas.keep(action.node);
      case 'evict':
        return replicas.evict(action.pods);
      case 'terminate':
        if (machines === null) this.fail('ended while the provider is away');
        if (replicas.on(action.node).length > 0) this.fail(`${action.node} is ended with pods: ${action.reason.kind}`);
        replicas.drains.delete(action.node);
        return this.cloud.terminate(action.node);
      case 'terminate-orphan':
        return this.cloud.terminate(action.id ?? action.providerId);
    }
  }

  #launch(node: FleetNode): void {
    const state = this.#asked.get(node.id);
    if (!this.memory?.nodes.some(({ id }) => id === node.id)) this.fail(`${node.id} is asked for and not in the book`);
    if (state === 'awaited' || state === 'done') this.fail(`${node.id} is asked for twice`);
    this.#asked.set(node.id, 'awaited');
    this.launches++;
    this.cloud.launch(node);
  }

  #answer(outcome: FleetOutcome): void {
    const isAgain = outcome.type === 'refused' && (outcome.code === 'throttled' || outcome.code === 'unavailable');
    if (this.#asked.get(outcome.id) === 'awaited') this.#asked.set(outcome.id, isAgain ? 'again' : 'done');
    this.#outcomes.push(outcome);
  }

  /** Another leader, which has lost the book. */
  #forget(): void {
    this.memory = null;
    this.spec = { ...this.spec, idPrefix: `local-${++this.leaders}-` };
    this.#outcomes = [];
  }

  #changePools(how: 'drift' | 'remove'): void {
    const [first, ...rest] = this.spec.pools;
    if (first) this.spec = { ...this.spec, pools: how === 'remove' ? rest : [{ ...first, revision: 'r2' }, ...rest] };
  }

  fail(what: string): void {
    this.wrong.push(`${what} (at ${this.nowMs})`);
  }
}

function withoutReserve(own: FleetSpec['pools'][number]): FleetSpec['pools'][number] {
  return { ...own, consolidation: { ...own.consolidation, minNodes: 0, warmSpares: 0 } };
}
