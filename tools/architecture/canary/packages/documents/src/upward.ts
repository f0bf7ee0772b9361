// Forbidden on purpose: documents stands below core.
import { clock } from '../../core/src/clock.ts';

export const upward: unknown = clock;
