import type { Driver, DriverEvent, TemplateStart } from '@ebb/core';
import type { RunsPart } from '../advice/advisedJobs.ts';
import { forwarded } from '../driver/forwarded.ts';

/** A driver of replicas that also runs the Jobs of ScaledJobs. */
export function withJobs(replicas: Driver, jobs: RunsPart): Driver {
  return {
    ...forwarded(replicas),
    runTemplate: (start: TemplateStart) => jobs.runTemplate(start),
    // Ids are unique: the one that does not know it does nothing.
    // Both hear of it in this turn: what is asked for in one turn is one change of a count.
    async stop(id) {
      await Promise.all([jobs.stop(id), replicas.stop(id)]);
    },
    listRuns: async () => jobs.list(),
    watch(listener: (event: DriverEvent) => void) {
      const ends = [replicas.watch(listener), jobs.watch(listener)];
      return () => {
        for (const end of ends) end();
      };
    },
    async close() {
      jobs.close();
      await replicas.close();
    },
  };
}
