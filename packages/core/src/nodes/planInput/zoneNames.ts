import type { NodePoolSpec } from '@ebb/documents';
import { type PlacementPod, zoneLabel } from '../placement/types.ts';
import type { Offering, Requirement } from '../types.ts';
import type { Remarks } from './question.ts';

/** Zone of an offering whose price holds in every zone of its region. */
export const anyZone = '*';
/** Beginnings of the names of most regions' zones: `us-east-1a`, `us-east1-b`, `eastus-1`. */
const usualZones: Readonly<Record<string, readonly string[]>> = {
  aws: ['a', 'b', 'c'],
  gcp: ['-a', '-b', '-c'],
  azure: ['-1', '-2', '-3'],
};

/**
 * The zones in which a price of the whole region can be had: those that prices, pools and replicas name. Where none does and
 * a rule needs zones, three with the cloud's usual names; without such a rule whichever the cloud has.
 */
export function zoneNames(
  place: { cloud: string; region: string },
  offerings: readonly Offering[],
  pools: readonly NodePoolSpec[],
  pods: readonly PlacementPod[],
  { notes }: Remarks,
): readonly string[] {
  const { cloud, region } = place;
  const usual = usualZones[cloud];
  const isHere = (zone: string) => usual === undefined || zone.startsWith(region);
  const priced = offerings.map(({ zone }) => zone).filter((zone) => zone !== anyZone);
  const asked = [...pools, ...pods].flatMap(({ requirements }) => zonesAsked(requirements)).filter(isHere);
  const named = [...new Set([...priced, ...asked])].sort();
  const needsSeveral = pods.some(({ spread }) => spread.some(({ topology }) => topology === 'zone'));
  if (named.length > 1 || !needsSeveral || usual === undefined) return named.length > 0 ? named : [anyZone];
  const zones = [...new Set([...named, ...usual.map((suffix) => region + suffix)])].sort();
  notes.add(
    `zones of ${cloud} ${region} are taken to be ${zones.join(', ')}; a pool's requirement on ${zoneLabel} names others`,
  );
  return zones;
}

function zonesAsked(requirements: readonly Requirement[]): readonly string[] {
  return requirements
    .filter(({ key, operator }) => key === zoneLabel && operator === 'In')
    .flatMap(({ values }) => values);
}
