import type { Offering, Requirement } from '../types.ts';
import type { Remarks } from './question.ts';

const architectureLabel = 'kubernetes.io/arch';
const vendorLabel = 'ebb.dev/gpu-vendor';

/**
 * Without the machines that most programs do not run on: other processors than amd64, other accelerators than NVIDIA's. A
 * requirement of the pool or of a replica that speaks of the label lifts that.
 */
export function usualMachines(
  offerings: readonly Offering[],
  requirements: readonly Requirement[],
  { notes }: Remarks,
): Offering[] {
  const isSaid = (label: string) => requirements.some(({ key }) => key === label);
  const isAnyArchitecture = isSaid(architectureLabel);
  const isAnyVendor = isSaid(vendorLabel);
  const found = offerings.filter(
    ({ instanceType: { architecture, gpu } }) =>
      (isAnyArchitecture || architecture === 'amd64') && (isAnyVendor || gpu === null || gpu.vendor === 'nvidia'),
  );
  if (found.length < offerings.length) {
    const kinds = [
      ...(isAnyArchitecture ? [] : [`amd64 (requirement on ${architectureLabel})`]),
      ...(isAnyVendor ? [] : [`NVIDIA's GPUs (requirement on ${vendorLabel})`]),
    ];
    notes.add(`only machines with ${kinds.join(' and ')} are looked at where nothing else is asked for`);
  }
  return found;
}
