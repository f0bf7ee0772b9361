import { createHash } from 'node:crypto';
import type { NodeLaunch } from '@ebb/core';

const hourMs = 3_600_000;

/**
 * How long after it was asked for a spot machine is taken back: exponential with the given rate, from the seed and the machine's
 * id alone, so that the same rehearsal takes the same machines. Null: never.
 */
export function takenAfterMs(
  launch: NodeLaunch,
  interruptions: { seed: number; perHour: number } | null,
): number | null {
  if (interruptions === null || interruptions.perHour <= 0 || launch.offering.capacityType !== 'spot') return null;
  const hash = createHash('sha256').update(`${interruptions.seed} ${launch.id}`).digest();
  const share = (hash.readUInt32BE(0) + 1) / (0xffff_ffff + 2);
  return Math.round((-Math.log(share) / interruptions.perHour) * hourMs);
}
