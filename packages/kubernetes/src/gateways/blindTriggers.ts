import type { Reading, TriggerPort, TriggerRequest, TriggerSet } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import type { GatewayFleet } from './fleet.ts';
import type { ServeServices } from './serveServices.ts';

/** A gateway that is silent for so long is missing; one that has just come, or is connected to anew, is not. */
const missingAfterMs = 3000;

/**
 * Triggers by requests, where gateways do not see all there is. While requests of a workload go past them, what they count asks for
 * no more replicas than it is worth, and never lets the workload go to zero. While the counts of one are missing, nothing is known: none
 * that is seen is not zero demand.
 */
export function blindTriggers(
  inner: TriggerPort,
  gateways: Pick<GatewayFleet, 'countsMissingMs'>,
  serve: Pick<ServeServices, 'isBlind' | 'watchBlind'> | null,
): TriggerPort {
  return {
    open(request) {
      const counted = countedOf(request);
      const set = inner.open(request);
      if (counted.size === 0) return set;
      const told = (readings: readonly Reading[]) =>
        readings.map((reading) => {
          const workload = counted.get(reading.trigger);
          if (!workload) return reading;
          if (serve?.isBlind(workload)) return atLeastOne(reading);
          return reading.active !== true && gateways.countsMissingMs() > missingAfterMs ? unknown(reading) : reading;
        });
      return {
        targets: set.targets,
        unsupported: set.unsupported,
        read: async (nowMs) => told(await set.read(nowMs)),
        watch(listener) {
          const ends = [
            set.watch((readings) => listener(readings && told(readings))),
            ...[...counted.values()].flatMap((workload) => serve?.watchBlind(workload, () => listener()) ?? []),
          ];
          return () => {
            for (const end of ends) end();
          };
        },
        close: () => set.close(),
      } satisfies TriggerSet;
    },
  };
}

/** Workloads whose requests triggers count, by the triggers' names. */
function countedOf({ key, triggers }: TriggerRequest): Map<string, ObjectKey> {
  return new Map(
    triggers.flatMap(({ name, type, metadata }) =>
      type === 'http' ? [[name, { ...key, name: metadata.workload ?? key.name }] as const] : [],
    ),
  );
}

function unknown({ active: _active, ...rest }: Reading): Reading {
  return { ...rest, state: 'error', value: null, message: 'the counts of a gateway are missing: it cannot be reached' };
}

function atLeastOne(reading: Reading): Reading {
  const { message: _message, ...rest } = reading;
  return { ...rest, state: 'ok', value: Math.max(0, reading.value ?? 0), active: true };
}
