import type { Driver, DriverEvent, TemplateStart } from '@ebb/core';
import type { RunsPart } from '../advice/advisedJobs.ts';

/** A driver of replicas that also runs the Jobs of ScaledJobs. */
export function withJobs(replicas: Driver, jobs: RunsPart): Driver {
  return {
    ...(replicas.measuresPods ? { measuresPods: true } : {}),
    ...(replicas.found ? { found: replicas.found } : {}),
    ensure: (start) => replicas.ensure(start),
    runTemplate: (start: TemplateStart) => jobs.runTemplate(start),
    // Ids are unique: the one that does not know it does nothing.
    // Both hear of it in this turn: what is asked for in one turn is one change of a count.
    async stop(id) {
      await Promise.all([jobs.stop(id), replicas.stop(id)]);
    },
    planned: (workload, count) => replicas.planned?.(workload, count),
    list: () => replicas.list(),
    listRuns: async () => jobs.list(),
    watch(listener: (event: DriverEvent) => void) {
      const ends = [replicas.watch(listener), jobs.watch(listener)];
      return () => {
        for (const end of ends) end();
      };
    },
    logs: (query) => replicas.logs(query),
    async close() {
      jobs.close();
      await replicas.close();
    },
  };
}
