import type { Clock, Store } from '@ebb/core';

const name = 'control-plane/clock';
const saveEveryMs = 10_000;

/** The latest moment of Ebb's time that earlier runs left a trace of; 0 for none. */
export async function readClockFloor(store: Store): Promise<number> {
  const saved = await store.state.load(name);
  const [newest] = await store.journal.read({ newestFirst: true, limit: 1 });
  return Math.max(typeof saved === 'number' ? saved : 0, newest?.atMs ?? 0);
}

/** Notes the time at intervals, so that the next run begins no earlier. Returns the last note, for a clean end. */
export function keepClockFloor(
  store: Store,
  clock: Clock,
  epoch: number,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let cancel: (() => void) | undefined;
  const save = (): Promise<void> => store.state.save(name, clock.nowMs(), epoch).catch(onError);
  const wait = (): void => {
    cancel = clock.at(clock.nowMs() + saveEveryMs, () => {
      void save();
      wait();
    });
  };
  wait();
  return async () => {
    cancel?.();
    await save();
  };
}
