import type { Solver } from '../../ports/solver.ts';
import { applyMove } from './assignment.ts';
import { boundOf } from './bound.ts';
import { groupsOf } from './groups.ts';
import { type Census, censusOf, groupKeptBy, keptBy } from './guards.ts';
import { type Cause, mayGo, priced, tryGroup, Views } from './probe.ts';
import { totalCost } from './runningCost.ts';
import type { Consolidation, ConsolidationInput, ConsolidationMove, ConsolidationNode, KeptReason } from './types.ts';

export interface ConsolidationOptions {
  /** For the bound; null: it is weak. */
  solver: Solver | null;
  /** Work that the search may do, in units of placement; half as much again at most for the bound. */
  workUnits: number;
}

/**
 * Which nodes should go, in which order, and where their pods go: nodes that are being taken away first, then empty ones,
 * outdated ones, and those whose pods cost less elsewhere. Each move starts from what the moves before it leave, and the
 * search ends where no move is left: asked again of that state, it answers with no move.
 */
export function consolidate(input: ConsolidationInput, options: ConsolidationOptions): Consolidation {
  const search = new Search(input, options.workUnits);
  // A move can make room in a budget that is a share: all again until nothing moves.
  for (let count = -1; count !== search.moves.length; ) {
    count = search.moves.length;
    search.leaveNoticed();
    search.leaveEmpty();
    search.leaveOutdated();
    search.leaveUnderutilized();
  }
  const { state, moves } = search;
  const bound = boundOf(state, { solver: options.solver, workUnits: Math.ceil(options.workUnits / 2) });
  const costAfterMicro = totalCost(state.nodes, input.settings);
  const lowerBoundMicro = Math.min(bound.boundMicro, costAfterMicro);
  return {
    moves,
    kept: [...search.kept].map(([node, reason]) => ({ node, reason })),
    costBeforeMicro: totalCost(input.nodes, input.settings),
    costAfterMicro,
    lowerBoundMicro,
    gap: costAfterMicro === 0 ? 0 : lowerBoundMicro === 0 ? null : costAfterMicro / lowerBoundMicro - 1,
    isComplete: search.isComplete,
    workUnits: search.workUnits + bound.workUnits,
  };
}

class Search {
  state: ConsolidationInput;
  readonly moves: ConsolidationMove[] = [];
  readonly kept = new Map<string, KeptReason>();
  isComplete = true;
  workUnits = 0;
  readonly #budgetUnits: number;
  readonly #views: Views;
  #census: Census;

  constructor(input: ConsolidationInput, budgetUnits: number) {
    this.state = input;
    this.#budgetUnits = budgetUnits;
    this.#views = new Views(input);
    this.#census = censusOf(input);
    for (const { empty, isGoing } of input.nodes) this.kept.set(empty.name, isGoing ? 'going' : 'not-tried');
  }

  /** Nodes that are taken away go together; those that may be, one by one and only when their pods have a place. */
  leaveNoticed(): void {
    const noticed = this.#staying().filter(({ notice }) => notice !== null);
    const lost = noticed.filter(({ notice }) => notice === 'interruption');
    if (lost.length > 0) this.#try(lost, { force: 'forced', kind: 'interruption' });
    for (const node of noticed) {
      if (node.notice === 'rebalance') this.#try([node], { force: 'forced', kind: 'rebalance' });
    }
  }

  /** Empty nodes that cost something, the dearest first. */
  leaveEmpty(): void {
    const empty = this.#staying().filter(({ pods }) => pods.length === 0);
    for (const node of empty.toSorted((a, b) => b.offering.pricePerHourMicro - a.offering.pricePerHourMicro)) {
      const kept = keptBy(this.#census, node, 'Empty') ?? groupKeptBy(this.#census, [node], 'Empty', new Map());
      const rest = { remove: [node.empty.name], buy: [], relocate: [], stranded: [], order: 'ready-first' as const };
      const move = kept === null ? priced(this.state, [node], { reason: { kind: 'empty' }, ...rest }) : null;
      if (move !== null && move.savingPerHourMicro > 0) this.#accept(move);
      else this.kept.set(node.empty.name, kept ?? 'gain');
    }
  }

  leaveOutdated(): void {
    for (const node of this.#staying()) {
      if (node.outdated === null) continue;
      const kept = mayGo(this.#census, [node], 'Drifted');
      if (kept === null) this.#try([node], { force: 'wanted', kind: node.outdated });
      else this.kept.set(node.empty.name, kept);
    }
  }

  /** Nodes whose pods cost less elsewhere, one by one and in groups. */
  leaveUnderutilized(): void {
    for (let count = -1; count !== this.moves.length && this.isComplete; ) {
      count = this.moves.length;
      this.#sweep();
    }
  }

  #sweep(): void {
    const candidates: ConsolidationNode[] = [];
    for (const node of this.#staying()) {
      if (node.pods.length === 0 || node.notice !== null || node.outdated !== null) continue;
      const kept = keptBy(this.#census, node, 'Underutilized');
      if (kept === null) candidates.push(node);
      else this.kept.set(node.empty.name, kept);
    }
    const started = this.moves.length;
    let there = new Set(this.state.nodes);
    let size = 1;
    for (const group of groupsOf(candidates)) {
      // Larger groups wait until smaller ones find nothing.
      if (group.length > size && this.moves.length > started) return;
      size = group.length;
      if (!group.every((node) => there.has(node))) continue;
      if (this.workUnits >= this.#budgetUnits) {
        this.isComplete = false;
        return;
      }
      const kept = mayGo(this.#census, group, 'Underutilized');
      if (kept !== null) {
        if (group.length === 1) for (const { empty } of group) this.kept.set(empty.name, kept);
      } else if (this.#try(group, { force: 'gain', kind: 'underutilized' })) there = new Set(this.state.nodes);
    }
  }

  #staying(): ConsolidationNode[] {
    return this.state.nodes.filter(({ isGoing }) => !isGoing);
  }

  #try(group: readonly ConsolidationNode[], cause: Cause): boolean {
    const { move, kept, workUnits } = tryGroup(this.#census, group, cause, this.#views);
    this.workUnits += workUnits;
    if (move !== null) this.#accept(move);
    else if (group.length === 1) for (const { empty } of group) this.kept.set(empty.name, kept);
    return move !== null;
  }

  #accept(move: ConsolidationMove): void {
    this.moves.push(move);
    this.state = applyMove(this.state, move);
    this.#census = censusOf(this.state);
    for (const name of move.remove) this.kept.delete(name);
  }
}
