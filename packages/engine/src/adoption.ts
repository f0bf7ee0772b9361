import type { DriverEvent } from '@ebb/core';
import type { EngineContext } from './context.ts';
import { onDriverEvent, onSnapshot } from './driverEvents.ts';
import { messageOf } from './replicaActions.ts';

/** How long a start waits for the agent, so that the gateway is told nothing before it is known what runs. */
const adoptionWaitMs = 10_000;

/**
 * Follows the driver from now on and takes over what runs, as it is. Resolves when that is known, or when the agent has
 * not answered for too long: then the engine goes on, and adopts when one comes. Returns the way to stop following.
 */
export async function followDriver(context: EngineContext): Promise<() => void> {
  const { driver, clock, log } = context.ports;
  const { promise: known, resolve } = Promise.withResolvers<void>();
  /** What came before the first list; it may be newer than it. */
  const waiting: DriverEvent[] = [];
  let listed = false;
  const takeEvent = (event: DriverEvent) => {
    if (context.stopped) return;
    if (event.type === 'snapshot') listed = true;
    if (!listed && (event.type === 'replica' || event.type === 'run')) waiting.push(event);
    else onDriverEvent(context, event);
    if (event.type === 'snapshot') resolve();
  };
  const unwatch = driver.watch(takeEvent);
  const cancel = clock.at(clock.nowMs() + adoptionWaitMs, () => {
    log('warn', 'the agent has not answered: nothing is started or ended before it does');
    resolve();
  });
  Promise.all([driver.list(), driver.listRuns?.() ?? []]).then(
    ([replicas, runs]) => {
      if (listed || context.stopped) return;
      listed = true;
      onSnapshot(context, replicas);
      context.runs.listed(runs);
      for (const event of waiting.splice(0)) onDriverEvent(context, event);
      resolve();
    },
    (error: unknown) => log('warn', 'the agent cannot be asked what runs', { error: messageOf(error) }),
  );
  await known;
  cancel();
  return unwatch;
}
