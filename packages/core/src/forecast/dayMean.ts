import { quarterMs } from './numbers.ts';
import { Profile } from './profile.ts';
import type { ForecasterType } from './types.ts';

/** Seasonal naive by time of day, the decayed mean of the peaks of earlier days: one burst does not count for long. */
export const dayMean: ForecasterType = {
  name: 'day-mean',
  isStated: false,
  open: (memory, settings) => new Profile(memory, { slotMs: quarterMs, count: 96, up: 0.3, down: 0.3 }, settings),
};
