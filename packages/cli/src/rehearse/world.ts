// What the threads of a rehearsal import: it cannot be handed to them as data.
import { catalogueCurrency, loadCatalogue } from '@ebb/catalogue';
import { type Clock, fleetStep, type Scaler } from '@ebb/core';
import type { EventSpec, ScheduleSpec } from '@ebb/documents';
import type { NodePorts } from '@ebb/engine';
import { openProvider } from '@ebb/providers';
import { createScheduleScaler, cronWindow } from '@ebb/scalers';
import { openSolver, workUnitsOf } from '@ebb/solver';

/** Schedules on the rehearsal's clock, which begins at 2026-01-01T00:00:00Z. */
export function scheduleScaler(schedules: ScheduleSpec[], events: EventSpec[]): Scaler {
  let wallMs = 0;
  const scaler = createScheduleScaler(schedules, { wallNowMs: () => wallMs, events });
  return {
    read: (nowMs) => {
      wallMs = nowMs;
      return scaler.read(nowMs);
    },
    close: () => scaler.close(),
  };
}

/** Little, because a rehearsal decides thousands of times; a plan for few replicas is as good. */
const stepMs = 40;
const offerings = await loadCatalogue();
const solver = await openSolver('highs');

/** Machines of the built-in price list, on the rehearsal's clock. */
export function nodes(clock: Clock): NodePorts {
  return {
    currency: catalogueCurrency,
    offerings: async () => offerings,
    workUnits: workUnitsOf(stepMs),
    open: (cluster, { pools, book }) =>
      openProvider(
        'rehearsal',
        { cluster: cluster.key.name, region: cluster.region, pools },
        { clock, book, log: () => {}, secrets: async () => null },
      ),
    step: async (spec, memory, observation) => fleetStep(spec, memory, observation, solver),
    window: cronWindow,
  };
}
