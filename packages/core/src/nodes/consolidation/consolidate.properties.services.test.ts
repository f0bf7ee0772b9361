import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMove } from './assignment.ts';
import { consolidate } from './consolidate.ts';
import { anyCluster, checkMove } from './consolidation.fixture.ts';
import type { ConsolidationInput, ConsolidationMove, DisruptionReason } from './types.ts';

const options = { solver: null, workUnits: 20_000 };
const forced = ['interruption', 'rebalance'];

/** States before each move, and the last one. */
function statesOf(input: ConsolidationInput, moves: readonly ConsolidationMove[]): ConsolidationInput[] {
  const states = [input];
  for (const move of moves) states.push(applyMove(states.at(-1) ?? input, move));
  return states;
}

function budgetName({ reason: { kind } }: ConsolidationMove): DisruptionReason {
  if (kind === 'empty') return 'Empty';
  return kind === 'underutilized' ? 'Underutilized' : 'Drifted';
}

const ids = ({ nodes }: ConsolidationInput) =>
  nodes.flatMap(({ empty, pods }) => pods.map(({ pod }) => [pod.id, empty.name] as const));

describe('any consolidation', () => {
  it('can be carried out move by move, within budgets, and leaves what must stay', () => {
    fc.assert(
      fc.property(anyCluster, (input) => {
        const { moves } = consolidate(input, options);
        const states = statesOf(input, moves);
        for (const [index, move] of moves.entries()) {
          const before = states[index] ?? input;
          expect(checkMove(before, move)).toEqual([]);
          const busy = move.relocate.map(({ waitsForWork }) => Number(waitsForWork));
          expect(busy).toEqual(busy.toSorted((a, b) => a - b));
          const after = states[index + 1] ?? input;
          // Each pod is where the move says, or is told as stranded.
          const where = new Map(ids(after));
          for (const [id] of ids(before)) expect(where.has(id)).toBe(!move.stranded.includes(id));
          if (forced.includes(move.reason.kind)) continue;
          const gone = before.nodes.filter(({ empty }) => move.remove.includes(empty.name));
          for (const { doNotDisrupt, pods } of gone) {
            expect(doNotDisrupt || pods.some((one) => one.doNotDisrupt)).toBe(false);
          }
          const [own] = after.pools;
          const total = before.nodes.length;
          const going = after.nodes.filter(({ isGoing }) => isGoing).length;
          for (const { isActive, reasons, nodes } of own?.budgets ?? []) {
            if (!isActive || (reasons.length > 0 && !reasons.includes(budgetName(move)))) continue;
            expect(going).toBeLessThanOrEqual(nodes.kind === 'count' ? nodes.count : Math.ceil(nodes.share * total));
          }
          const count = (state: ConsolidationInput) => state.nodes.filter(({ isGoing }) => !isGoing).length;
          const spare = (state: ConsolidationInput) =>
            state.nodes.filter((one) => !one.isGoing && one.notice === null && one.pods.length === 0).length;
          expect(count(after)).toBeGreaterThanOrEqual(Math.min(count(before), own?.minNodes ?? 0));
          expect(spare(after)).toBeGreaterThanOrEqual(Math.min(spare(before), own?.warmSpares ?? 0));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('saves what it says, at least as much as was asked for, and never replaces a type by itself', () => {
    fc.assert(
      fc.property(anyCluster, (input) => {
        const { moves, costBeforeMicro, costAfterMicro, lowerBoundMicro } = consolidate(input, options);
        const saved = moves.reduce((sum, { savingPerHourMicro }) => sum + savingPerHourMicro, 0);
        expect(costBeforeMicro - costAfterMicro).toBe(saved);
        expect(lowerBoundMicro).toBeLessThanOrEqual(costAfterMicro);
        const typeOf = new Map(input.nodes.map(({ empty, offering }) => [empty.name, offering.instanceType.name]));
        for (const { reason, remove, buy, savingPerHourMicro, costMicro } of moves) {
          if (reason.kind !== 'underutilized') continue;
          const price = input.nodes
            .filter(({ empty }) => remove.includes(empty.name))
            .reduce((sum, { offering }) => sum + offering.pricePerHourMicro, 0);
          expect(savingPerHourMicro).toBeGreaterThanOrEqual(
            Math.max(input.gain.minPerHourMicro, input.gain.minShare * price),
          );
          expect(costMicro).toBeLessThanOrEqual((savingPerHourMicro * input.gain.paybackMs) / 3_600_000);
          const out = moves.flatMap((one) => (one.reason.kind === 'underutilized' ? one.remove : []));
          const outTypes = new Set(out.map((name) => typeOf.get(name)));
          for (const { offering } of buy) expect(outTypes.has(offering.split('/')[1])).toBe(false);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('has nothing to add when it is carried out, and ends when it is asked again and again', () => {
    fc.assert(
      fc.property(anyCluster, (input) => {
        const first = consolidate(input, options);
        expect(first).toEqual(consolidate(structuredClone(input), options));
        expect(first.isComplete).toBe(true);
        let state = statesOf(input, first.moves).at(-1) ?? input;
        expect(consolidate(state, options).moves).toEqual([]);
        // Later: what went is gone, budgets and delays are open again.
        let rounds = 0;
        for (let moved = true; moved; rounds++) {
          const later = state.nowMs + 3_600_000;
          state = { ...state, nowMs: later, nodes: state.nodes.filter(({ isGoing }) => !isGoing) };
          const { moves } = consolidate(state, options);
          state = statesOf(state, moves).at(-1) ?? state;
          moved = moves.length > 0;
        }
        expect(rounds).toBeLessThanOrEqual(input.nodes.length + 2);
      }),
      { numRuns: 20 },
    );
  });
});
