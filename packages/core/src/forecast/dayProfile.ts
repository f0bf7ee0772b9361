import { quarterMs } from './numbers.ts';
import { Profile } from './profile.ts';
import type { ForecasterType } from './types.ts';

/**
 * Seasonal naive by time of day, 96 quarters of an hour of local time, on the high side: about the 0.8-expectile of the
 * peaks of earlier days, which follows a larger day at once and a smaller one slowly.
 */
export const dayProfile: ForecasterType = {
  name: 'day-profile',
  isStated: false,
  open: (memory, settings) => new Profile(memory, { slotMs: quarterMs, count: 96, up: 0.6, down: 0.15 }, settings),
};
