import { hourMs } from './numbers.ts';
import { Profile } from './profile.ts';
import type { ForecasterType } from './types.ts';

/** Seasonal naive by hour of the week, 168 hours of local time, decayed mean of peaks. It needs a week before it can tell. */
export const weekProfile: ForecasterType = {
  name: 'week-profile',
  isStated: false,
  open: (memory, settings) => new Profile(memory, { slotMs: hourMs, count: 168, up: 0.3, down: 0.3 }, settings),
};
