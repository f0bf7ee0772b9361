import type { DriverEvent } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import type { TargetDriver } from '../advice/modeDriver.ts';
import { forwardedTargets } from '../driver/forwarded.ts';
import type { PodUsageReader } from './podUsage.ts';

/** A driver of targets that also tells what their pods use. */
export function withPodUsage(
  targets: TargetDriver,
  usage: PodUsageReader,
  /** Whether the engine is to hear of a workload's pods. */
  isTold: (workload: ObjectKey) => boolean,
): TargetDriver {
  return {
    ...forwardedTargets(targets),
    measuresPods: true,
    manage(reference, state, mode) {
      targets.manage(reference, state, mode);
      usage.manage(reference, state);
    },
    release(workload) {
      usage.release(workload);
      targets.release(workload);
    },
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
    async close() {
      usage.close();
      await targets.close();
    },
  };
}
