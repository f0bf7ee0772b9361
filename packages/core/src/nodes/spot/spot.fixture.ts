import { spotStep } from './spotStep.ts';
import type { SpotEvent, SpotMemory, SpotReason, SpotSpec } from './types.ts';

const hourMs = 3_600_000;

/** Zones by name, each with the hours, from and to, in which it has no spot at all. */
export type Outages = Readonly<Record<string, readonly (readonly [number, number])[]>>;
export const zonesUp = (outages: Outages): Outages => outages;

export const specOf = (change: Partial<SpotSpec> = {}): Omit<SpotSpec, 'markets'> => ({
  onDemandPricePerHourMicro: 1_000_000,
  onDemandFloor: { count: 0 },
  ...{ fallback: true, spread: 'zone', overProvision: 'auto', shortfallTarget: 0.003, startMs: 300_000 },
  ...change,
});

interface Machine {
  zone: string | null;
  readyAtMs: number;
}

/** Runs the step every minute over zones that come and go; a zone that is there has any number. */
export function runSpot(
  spec: Omit<SpotSpec, 'markets'>,
  outages: Outages,
  { wanted, hours }: { wanted: number; hours: number },
) {
  const zones = Object.keys(outages);
  const full = { ...spec, markets: zones.map((id) => ({ id, zone: id, pricePerHourMicro: 300_000 })) };
  const isUp = (zone: string, nowMs: number) =>
    !(outages[zone] ?? []).some(([from, to]) => nowMs >= from * hourMs && nowMs < to * hourMs);
  let machines: Machine[] = [];
  let memory: SpotMemory | null = null;
  const told: SpotReason[] = [];
  const total = { cost: 0, shortMs: 0, lost: 0 };
  const states: { atMs: number; state: ReturnType<typeof stateOf> }[] = [];
  for (let nowMs = 0; nowMs < hours * hourMs; nowMs += 60_000) {
    const isThere = ({ zone }: Machine) => zone === null || isUp(zone, nowMs);
    const gone = machines.filter((machine) => !isThere(machine));
    machines = machines.filter(isThere);
    total.lost += gone.length;
    let events = [...new Set(gone.map(({ zone }) => zone ?? ''))].map(
      (market): SpotEvent => ({ type: 'lost', market, atMs: nowMs }),
    );
    for (let round = 0; round < 20; round += 1) {
      const count = (zone: string | null) => {
        const own = machines.filter((machine) => machine.zone === zone);
        const ready = own.filter(({ readyAtMs }) => readyAtMs <= nowMs).length;
        return { ready, starting: own.length - ready };
      };
      const spot = zones.map((market) => ({ market, ...count(market) }));
      const decision = spotStep(full, memory, { nowMs, wanted, spot, onDemand: count(null), events });
      memory = decision.memory;
      told.push(...decision.reasons);
      events = [];
      const aims = [
        ...decision.spot.map((one) => [one.market, one.count] as const),
        [null, decision.onDemand] as const,
      ];
      for (const [zone, aim] of aims) {
        const own = machines.filter((machine) => machine.zone === zone);
        if (own.length > aim) {
          const ended = own.toSorted((a, b) => b.readyAtMs - a.readyAtMs).slice(0, own.length - aim);
          machines = machines.filter((machine) => !ended.includes(machine));
        } else if (zone !== null && own.length < aim && !isUp(zone, nowMs)) {
          events.push({ type: 'refused', market: zone, atMs: nowMs });
        } else {
          for (let n = own.length; n < aim; n += 1) machines.push({ zone, readyAtMs: nowMs + full.startMs });
        }
      }
      if (events.length === 0) break;
    }
    const state = stateOf(machines, nowMs);
    states.push({ atMs: nowMs, state });
    if (state.ready < wanted && nowMs > hourMs) total.shortMs += 60_000;
    total.cost += (state.onDemand + 0.3 * state.spot) / (60 * hours * wanted);
  }
  const at = (ms: number) => {
    const found = states.findLast(({ atMs }) => atMs <= ms);
    if (!found) throw new RangeError(`nothing was run until ${ms}`);
    return found.state;
  };
  return { total, told, at, states, memory };
}

function stateOf(machines: readonly Machine[], nowMs: number) {
  const spot = machines.filter(({ zone }) => zone !== null);
  const byZone: Record<string, number> = {};
  for (const { zone } of spot) if (zone !== null) byZone[zone] = (byZone[zone] ?? 0) + 1;
  return {
    ...{ spot: spot.length, onDemand: machines.length - spot.length, byZone },
    ready: machines.filter(({ readyAtMs }) => readyAtMs <= nowMs).length,
    largest: Math.max(0, ...Object.values(byZone)),
  };
}
