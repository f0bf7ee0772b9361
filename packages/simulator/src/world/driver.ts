import type { Driver } from '@ebb/core';
import type { JobRuns } from './runs.ts';

const settled = Promise.resolve();

/** The driver of replicas, able to run Jobs too. */
export function withRuns(replicas: Driver, runs: JobRuns): Driver {
  return {
    ensure: (start) => replicas.ensure(start),
    run: (start) => {
      runs.run(start);
      return settled;
    },
    stop: (id) => {
      runs.stop(id);
      return replicas.stop(id);
    },
    list: () => replicas.list(),
    listRuns: () => Promise.resolve(runs.list()),
    watch: (listener) => {
      const leave = [replicas.watch(listener), runs.watch(listener)];
      return () => {
        for (const each of leave) each();
      };
    },
    logs: (query) => replicas.logs(query),
    close: () => replicas.close(),
  };
}
