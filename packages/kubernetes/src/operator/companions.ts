import type { ObjectKey } from '@ebb/documents';
import type { Mode } from '../advice/mode.ts';
import type { TargetDriver } from '../advice/modeDriver.ts';
import { forwardedTargets } from '../driver/forwarded.ts';
import type { TargetReference, TargetState } from '../driver/target.ts';

/** Does more for targets than scaling them, beside the driver. */
export interface Companion {
  manage(reference: TargetReference, state: TargetState, mode: Mode): void;
  release(workload: ObjectKey): void;
}

/** A driver whose targets others hear of too, after it. */
export function withCompanions(targets: TargetDriver, companions: readonly Companion[]): TargetDriver {
  if (companions.length === 0) return targets;
  return {
    ...forwardedTargets(targets),
    manage(reference, state, mode) {
      targets.manage(reference, state, mode);
      for (const one of companions) one.manage(reference, state, mode);
    },
    release(workload) {
      for (const one of companions) one.release(workload);
      targets.release(workload);
    },
  };
}
