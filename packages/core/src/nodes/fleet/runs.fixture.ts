import { noLimits, pool } from '../placement/placement.fixture.ts';
import type { FleetPool, FleetSpec } from './types.ts';
import { fleetPool, fleetSpec, minuteMs, sold } from './fleet.fixture.ts';
import type { Dice, Faults } from './world.fixture.ts';

/** A cluster of two pools, one of them with spot, under rules that the dice choose. */
export function anySpec(dice: Dice): FleetSpec {
  const zones = dice.pick([['a'], ['a', 'b']]);
  const { small, medium, large, gpu } = sold;
  const web = pool('web', [
    ...[small, medium, large].map((one) => ({ ...one, zones })),
    ...[small, medium].map((one) => ({ ...one, price: one.price * 0.4, zones, capacityType: 'spot' as const })),
  ]);
  const gpus = pool('gpu', [
    { ...gpu, zones },
    { ...large, zones },
  ]);
  return fleetSpec(
    [
      fleetPool({ ...web, limits: { ...noLimits, nodes: dice.pick([null, 4, 8]) } }, ...anyRules(dice, anyHedge(dice))),
      fleetPool(
        { ...gpus, limits: { ...noLimits, pricePerHourMicro: dice.pick([null, 3_000_000]) } },
        ...anyRules(dice),
      ),
    ],
    { workUnits: 3, endOrphansAfterMs: 20 * minuteMs, consolidateEveryMs: dice.pick([10_000, minuteMs]) },
  );
}

/** In every second life spot is hedged, in some way. */
function anyHedge(dice: Dice): FleetPool['spot'] {
  if (dice.chance(0.5)) return null;
  return {
    onDemandFloor: dice.pick([{ count: 0 }, { count: 1 }, { share: 0.5 }]),
    fallback: dice.chance(0.8),
    spread: dice.pick(['zone', 'none'] as const),
    overProvision: dice.pick(['auto', 'auto', 0, 2] as const),
    ...{ shortfallTarget: 0.003, startMs: 2 * minuteMs },
  };
}

function anyRules(
  dice: Dice,
  spot: FleetPool['spot'] = null,
): [Partial<FleetPool>, Partial<FleetPool['consolidation']>] {
  return [
    {
      weight: dice.pick([0, 0, 10]),
      expireAfterMs: dice.pick([null, null, 30 * minuteMs]),
      terminationGraceMs: dice.pick([null, 5 * minuteMs]),
      ...{ spot, repairAfterMs: dice.pick([null, 3 * minuteMs]) },
    },
    {
      warmSpares: dice.pick([0, 0, 1]),
      minNodes: dice.pick([0, 0, 1]),
      delayMs: dice.pick([10_000, minuteMs]),
      isSurgeAllowed: dice.chance(0.8),
      policy: dice.pick(['WhenEmptyOrUnderutilized', 'WhenEmptyOrUnderutilized', 'WhenEmpty'] as const),
      budgets: dice.pick([[], [{ nodes: { kind: 'share' as const, share: 0.5 }, reasons: [], isActive: true }]]),
    },
  ];
}

export function anyFaults(dice: Dice): Faults {
  const rarely = () => (dice.chance(0.4) ? 0.05 + dice.next() * 0.3 : 0);
  return {
    ...{ stockOut: rarely(), quota: rarely() / 2, throttled: rarely(), unavailable: rarely(), neverJoins: rarely() },
    ...{
      dies: rarely() / 2,
      stockOutLater: rarely() / 2,
      interrupted: rarely() * 2,
      ...{ storm: dice.chance(0.3) ? 0.3 + dice.next() * 0.7 : 0, sick: rarely() },
      skewMs: dice.pick([0, 0, 3_600_000, -3_600_000]),
    },
  };
}

export const noFaults: Faults = {
  ...{ stockOut: 0, quota: 0, throttled: 0, unavailable: 0, neverJoins: 0, dies: 0, interrupted: 0, storm: 0, sick: 0 },
  ...{ stockOutLater: 0, skewMs: 0 },
};
