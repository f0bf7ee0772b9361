import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type GatewayDemand, isFair, type ReplicaSlots, splitSlots } from './splitSlots.ts';

const gateway = (name: string, held = 0, oldestHeldUs: number | null = held > 0 ? 1 : null): GatewayDemand => ({
  name,
  held,
  oldestHeldUs,
  isLeaving: false,
});
const replica = (capacity: number, inFlight: number[] = [], current: number[] = []): ReplicaSlots => ({
  id: 'r',
  capacity,
  inFlight,
  current,
});
const columns = (rows: number[][]) =>
  (rows[0] ?? []).map((_, index) => rows.reduce((all, row) => all + (row[index] ?? 0), 0));

describe('slots of replicas', () => {
  it('are shared evenly where nobody asks for more', () => {
    expect(splitSlots([replica(4)], [gateway('a'), gateway('b')])).toEqual([[2, 2]]);
    expect(splitSlots([replica(1), replica(1), replica(1), replica(1)], [gateway('a'), gateway('b')])).toSatisfy(
      (rows: number[][]) => columns(rows).join() === '2,2',
    );
  });

  it('go to the gateway that holds a request, and back to where one waits longer', () => {
    const one = replica(1, [0, 0], [1, 0]);
    expect(splitSlots([one], [gateway('a'), gateway('b', 1)])).toEqual([[0, 1]]);
    const busy = replica(1, [0, 1], [0, 1]);
    expect(splitSlots([busy], [gateway('a', 1, 10), gateway('b', 5, 20)])).toEqual([[1, 0]]);
    expect(splitSlots([busy], [gateway('a', 1, 30), gateway('b', 5, 20)])).toEqual([[0, 1]]);
  });

  it('stay where work is, and where they are', () => {
    expect(splitSlots([replica(4, [3, 0], [2, 2])], [gateway('a'), gateway('b')])).toEqual([[4, 0]]);
    const rows = [replica(2, [0, 0], [2, 0]), replica(2, [0, 0], [0, 2])];
    expect(splitSlots(rows, [gateway('a'), gateway('b')])).toEqual([
      [2, 0],
      [0, 2],
    ]);
  });

  it('leave a gateway that leaves, as its work ends', () => {
    const leaving = { ...gateway('a'), isLeaving: true };
    expect(splitSlots([replica(4, [1, 0], [2, 2])], [leaving, gateway('b')])).toEqual([[1, 3]]);
    expect(isFair([replica(4, [1, 0], [2, 2])], [leaving, gateway('b')])).toBe(false);
    expect(splitSlots([replica(4)], [leaving])).toEqual([[4]]);
  });

  it('are equal for all where there are too few', () => {
    const rows = splitSlots([replica(10)], [gateway('a', 100), gateway('b', 3), gateway('c', 50)]);
    expect(rows[0]?.[1]).toBe(3);
    expect([
      [3, 4],
      [4, 3],
    ]).toContainEqual([rows[0]?.[0], rows[0]?.[2]]);
  });
});

const questions = fc.integer({ min: 1, max: 5 }).chain((count) => {
  const each = fc.array(fc.nat(6), { minLength: count, maxLength: count });
  return fc.record({
    gateways: fc
      .array(fc.record({ held: fc.nat(20), oldest: fc.nat(100), isLeaving: fc.boolean() }), {
        minLength: count,
        maxLength: count,
      })
      .map((all) =>
        all.map(({ held, oldest, isLeaving }, index) => ({
          ...gateway(`g${index}`, held, held > 0 ? oldest : null),
          isLeaving,
        })),
      ),
    replicas: fc.array(
      fc
        .record({ capacity: fc.nat(8), inFlight: each, current: each })
        .map((one): ReplicaSlots => ({ id: 'r', ...one })),
      { maxLength: 6 },
    ),
  });
});

test('a split gives out each replica’s slots, all of them and never more', () => {
  fc.assert(
    fc.property(questions, ({ replicas, gateways }) => {
      const rows = splitSlots(replicas, gateways);
      for (const [index, { capacity }] of replicas.entries()) {
        const row = rows[index] ?? [];
        expect(row.every((value) => Number.isSafeInteger(value) && value >= 0)).toBe(true);
        expect(row.reduce((all, one) => all + one, 0)).toBe(capacity);
      }
    }),
  );
});

test('a split is fair, and nothing moves from there', () => {
  fc.assert(
    fc.property(questions, ({ replicas, gateways }) => {
      const rows = splitSlots(replicas, gateways);
      const after = replicas.map((one, index) => ({ ...one, current: rows[index] ?? [] }));
      expect(isFair(after, gateways)).toBe(true);
      expect(columns(splitSlots(after, gateways))).toEqual(columns(rows));
    }),
  );
});

test('no gateway waits while others have more than they need', () => {
  fc.assert(
    fc.property(questions, ({ replicas, gateways }) => {
      const has = columns(splitSlots(replicas, gateways));
      if (has.length === 0) return;
      const needs = gateways.map(({ held }, index) =>
        replicas.reduce((all, { inFlight }) => all + (inFlight[index] ?? 0), held),
      );
      const isShort = has.some((slots, index) => slots < (needs[index] ?? 0));
      const hasSpare = has.some((slots, index) => slots > (needs[index] ?? 0));
      expect(isShort && hasSpare).toBe(false);
    }),
  );
});
