import type { NodeLaunch } from '@ebb/core';

/** The zone that is asked for; `*`: any. Plans for a whole region name the region in its place. */
export function zoneAsked({ offering: { zone, region } }: Pick<NodeLaunch, 'offering'>): string {
  return zone === region ? '*' : zone;
}
