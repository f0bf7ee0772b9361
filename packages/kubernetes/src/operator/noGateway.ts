import type { GatewayEvent, GatewayPort } from '@ebb/core';

/**
 * The gateway port where no gateway runs: requests reach the pods through Services, so nothing of theirs is known here.
 * A drain is over at once; the time that a pod has for its requests is its own termination grace.
 */
export function noGateway(): GatewayPort {
  const listeners = new Set<(event: GatewayEvent) => void>();
  /** By workload, the drain of each replica that was told of. */
  const told = new Map<string, Map<string, number>>();
  return {
    configure({ key, endpoints }) {
      const before = told.get(key);
      const now = new Map<string, number>();
      if (endpoints.length === 0) told.delete(key);
      else told.set(key, now);
      for (const { replica, draining, drain } of endpoints) {
        if (!draining) continue;
        const number = drain ?? 0;
        now.set(replica, number);
        if (before?.get(replica) === number) continue;
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
    remove(workload) {
      told.delete(workload);
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      listeners.clear();
    },
  };
}
