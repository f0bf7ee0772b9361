import type { GatewayEvent, GatewayPort } from '@ebb/core';

/**
 * The gateway port where no gateway runs: requests reach the pods through Services, so nothing of theirs is known here.
 * A drain is over at once; the time that a pod has for its requests is its own termination grace.
 */
export function noGateway(): GatewayPort {
  const listeners = new Set<(event: GatewayEvent) => void>();
  const told = new Map<string, number>();
  return {
    configure({ endpoints }) {
      for (const { replica, draining, drain } of endpoints) {
        if (!draining) {
          told.delete(replica);
          continue;
        }
        const number = drain ?? 0;
        if (told.get(replica) === number) continue;
        told.set(replica, number);
        // After the turn in which it was asked for.
        queueMicrotask(() => {
          const event = {
            type: 'drained',
            gateway: 'none',
            replica,
            ...(drain === undefined ? {} : { drain }),
          } as const;
          for (const listener of [...listeners]) listener(event);
        });
      }
    },
    remove() {},
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
    },
  };
}
