import type { DriverEvent, ReplicaStart } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import type { TargetDriver } from '../advice/modeDriver.ts';
import type { PodUsageReader } from './podUsage.ts';

/** A driver of targets that also tells what their pods use. */
export function withPodUsage(
  targets: TargetDriver,
  usage: PodUsageReader,
  /** Whether the engine is to hear of a workload's pods. */
  isTold: (workload: ObjectKey) => boolean,
): TargetDriver {
  return {
    measuresPods: true,
    found: targets.found,
    expect: (workload, found, mode) => targets.expect(workload, found, mode),
    manage(reference, state, mode) {
      targets.manage(reference, state, mode);
      usage.manage(reference, state);
    },
    release(workload) {
      usage.release(workload);
      targets.release(workload);
    },
    ensure: (start: ReplicaStart) => targets.ensure(start),
    stop: (id) => targets.stop(id),
    planned: (workload, replicas) => targets.planned?.(workload, replicas),
    list: () => targets.list(),
    watch(listener: (event: DriverEvent) => void) {
      const ends = [
        targets.watch(listener),
        usage.watch((event) => {
          if (event.type !== 'pod-usage' || isTold(event.usage.workload)) listener(event);
        }),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
    logs: (query) => targets.logs(query),
    async close() {
      usage.close();
      await targets.close();
    },
  };
}
