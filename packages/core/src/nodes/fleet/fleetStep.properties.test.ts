import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pool } from '../placement/placement.fixture.ts';
import { Fleet, fleetPool, fleetSpec, minuteMs, shown, sold, waiting } from './fleet.fixture.ts';
import { fleetSentence } from './explain.ts';
import type { FleetAction } from './types.ts';

const codes = ['stock-out', 'quota', 'throttled', 'unavailable', 'refused', 'unknown-offering'] as const;
const anyEvent = fc.oneof(
  fc.record({ type: fc.constant('pod' as const), cores: fc.constantFrom(0.5, 1, 3, 6, 20), apart: fc.boolean() }),
  fc.record({ type: fc.constant('gone' as const), which: fc.nat(9) }),
  fc.record({ type: fc.constant('leaves' as const), which: fc.nat(9) }),
  fc.record({ type: fc.constant('accepted' as const), which: fc.nat(9) }),
  fc.record({ type: fc.constant('refused' as const), which: fc.nat(9), code: fc.constantFrom(...codes) }),
  fc.record({ type: fc.constant('ready' as const) }),
  fc.record({ type: fc.constant('vanish' as const), which: fc.nat(9) }),
  fc.record({ type: fc.constant('notice' as const), which: fc.nat(9), inMs: fc.constantFrom(null, -5000, 120_000) }),
  fc.record({ type: fc.constant('away' as const) }),
  fc.record({ type: fc.constant('wait' as const), minutes: fc.constantFrom(0.5, 3, 20) }),
);
type Event = typeof anyEvent extends fc.Arbitrary<infer Value> ? Value : never;

const anyRules = fc.record({
  spares: fc.constantFrom(0, 1),
  weight: fc.constantFrom(0, 5),
  maxNodes: fc.constantFrom(null, 2),
  graceMs: fc.constantFrom(null, minuteMs),
  isHedged: fc.boolean(),
});

function fleetOf({
  spares,
  weight,
  maxNodes,
  graceMs,
  isHedged,
}: typeof anyRules extends fc.Arbitrary<infer Value> ? Value : never) {
  const limits = { nodes: maxNodes, cpuMilli: null, memoryBytes: null, gpus: null, pricePerHourMicro: null };
  const zones = ['a', 'b'];
  const web = pool(
    'web',
    [
      { ...sold.small, zones },
      { ...sold.medium, zones },
      { ...sold.medium, price: 0.06, zones, capacityType: 'spot' },
    ],
    { limits },
  );
  const big = pool('big', [{ ...sold.large, zones }]);
  const rest = { terminationGraceMs: graceMs };
  const spot = {
    ...{ onDemandFloor: { share: 0.5 }, fallback: true, spread: 'zone' as const, overProvision: 'auto' as const },
    ...{ shortfallTarget: 0.003, startMs: 2 * minuteMs },
  };
  return new Fleet(
    fleetSpec(
      [fleetPool(web, { ...rest, weight, spot: isHedged ? spot : null }, { warmSpares: spares }), fleetPool(big, rest)],
      { workUnits: 5 },
    ),
  );
}

/** Lets one thing happen, and the step answer to it. */
function apply(fleet: Fleet, event: Event, index: number): readonly FleetAction[] {
  const node = 'which' in event ? fleet.nodes[event.which] : undefined;
  const pod = 'which' in event ? fleet.pods[event.which] : undefined;
  const apart = [{ topology: 'hostname' as const, selector: { app: 'web' } }];
  switch (event.type) {
    case 'pod':
      fleet.pods = [
        ...fleet.pods,
        waiting(`p${index}`, event.cores, {
          interruptible: event.cores < 6,
          ...(event.apart ? { antiAffinity: apart } : {}),
        }),
      ];
      break;
    case 'gone':
      fleet.pods = fleet.pods.filter((one) => one !== pod);
      break;
    case 'leaves':
      fleet.pods = fleet.pods.map((one) => (one === pod && one.bound !== null ? { ...one, isLeaving: true } : one));
      break;
    case 'accepted':
      return fleet.step(1000, { type: 'accepted', id: node?.id ?? 'nobody' });
    case 'refused':
      return fleet.refused(event.code, node?.id ?? 'nobody');
    case 'ready':
      return fleet.ready();
    case 'vanish':
      fleet.machines = fleet.machines?.filter(({ id }) => id !== node?.id) ?? null;
      break;
    case 'notice': {
      const goesAtMs = event.inMs === null ? null : fleet.nowMs + event.inMs;
      const noticed = node && shown(node, { notice: { kind: 'interruption', goesAtMs } });
      fleet.machines = fleet.machines?.map((one) => (noticed && one.id === node?.id ? noticed : one)) ?? null;
      break;
    }
    case 'away':
      fleet.machines = null;
      break;
    case 'wait':
      return fleet.step(event.minutes * minuteMs);
  }
  return fleet.step(1000);
}

it('whatever happens, in whichever order: ids are new, no pod is on two nodes or on none, nothing with pods is ended', () => {
  fc.assert(
    fc.property(anyRules, fc.array(anyEvent, { maxLength: 25 }), (rules, events) => {
      const fleet = fleetOf(rules);
      const ids = new Set<string>();
      for (const [index, event] of events.entries()) {
        const before = structuredClone(fleet.memory);
        const known = fleet.memory;
        const actions = apply(fleet, event, index);
        expect(known).toEqual(before);
        const book = new Map(fleet.nodes.map((one) => [one.id, one]));
        for (const action of actions) {
          if (action.type === 'launch' && action.node.attempts === 0) {
            expect(ids).not.toContain(action.node.id);
            ids.add(action.node.id);
          }
          if (action.type === 'launch') expect(book.get(action.node.id)?.phase).toBe('asked');
          if (action.type === 'terminate') {
            expect(fleet.pods.filter(({ bound }) => bound?.node === action.node)).toEqual([]);
          }
        }
        for (const { bound } of fleet.pods) if (bound) expect(book.has(bound.node)).toBe(true);
        const web = fleet.nodes.filter((one) => one.pool === 'web').length;
        expect(web).toBeLessThanOrEqual(rules.maxNodes ?? 99);
        // A machine that was ended is gone by the next look: its place may be taken then.
        if (actions.some(({ type }) => type === 'terminate')) fleet.step(0);
        expect(fleet.step(0).filter(({ type }) => type !== 'bind')).toEqual([]);
        for (const reason of fleet.last.decision.reasons) {
          expect(fleetSentence(reason, fleet.nowMs)).toMatch(/^[A-Z].*[.a-z]$/);
        }
      }
    }),
    { numRuns: 250 },
  );
}, 60_000);
