import { datedEvents } from './datedEvents.ts';
import { dayMean } from './dayMean.ts';
import { dayProfile } from './dayProfile.ts';
import { envelope } from './envelope.ts';
import { fourier } from './fourier.ts';
import { holtWinters } from './holtWinters.ts';
import { lastPeak } from './lastPeak.ts';
import type { ForecasterType } from './types.ts';
import { weekProfile } from './weekProfile.ts';

/** Every forecaster that is scored. */
export const forecasterTypes: readonly ForecasterType[] = [
  lastPeak,
  dayProfile,
  dayMean,
  weekProfile,
  holtWinters,
  fourier,
  envelope,
  datedEvents,
];
