import { type MigCard, type MigProfile, migProfile } from './migCards.ts';

/** One instance on a card: a profile from a memory slice on. */
export interface MigInstance {
  profile: string;
  start: number;
}

/** How many of each profile, by name. What is left out is 0. */
export type MigCounts = Readonly<Record<string, number>>;

/** A layout that nothing can be added to, as a column of a packing model. */
export interface MigColumn {
  counts: MigCounts;
  /** One placement that gives these counts. */
  instances: readonly MigInstance[];
}

/** What lies on a card, as far as the rules look at it. */
interface Occupied {
  /** A bit for each memory slice. */
  slices: number;
  compute: number;
  mediaEngines: number;
  counts: Map<string, number>;
}

/** Why the instances cannot be on the card together, or null when they can. */
export function layoutProblem(card: MigCard, instances: readonly MigInstance[]): string | null {
  const on = empty();
  for (const { profile: name, start } of instances) {
    const profile = migProfile(card, name);
    if (!profile) return unknownProfile(card, name);
    if (!profile.starts.includes(start)) {
      return `${name} cannot begin at memory slice ${start}; it may at ${profile.starts.join(', ')}`;
    }
    const problem = conflict(card, on, profile, start);
    if (problem) return problem;
    add(on, profile, start);
  }
  return null;
}

/** `no profile "1g.6gb" on A100-40GB; it has 1g.5gb, …`. */
export function unknownProfile(card: MigCard, name: string): string {
  return `no profile "${name}" on ${card.name}; it has ${card.profiles.map((one) => one.name).join(', ')}`;
}

/**
 * Places the wanted profiles beside instances that stay where they are. Null when they do not fit: the search over legal
 * starts is complete (at most eight slices). The instances that stay must be legal together.
 */
export function placeProfiles(card: MigCard, kept: readonly MigInstance[], wanted: MigCounts): MigInstance[] | null {
  const on = occupied(card, kept);
  const queue: MigProfile[] = [];
  for (const [name, count] of Object.entries(wanted)) {
    const profile = migProfile(card, name);
    if (!profile) {
      if (count > 0) return null;
      continue;
    }
    if (count > profile.maxPerCard) return null;
    for (let index = 0; index < count; index++) queue.push(profile);
  }
  // The largest have the fewest places to go.
  queue.sort((left, right) => left.starts.length - right.starts.length || compareNames(left.name, right.name));
  return place(card, on, queue, 0, 0);
}

/** Whether the multiset fits beside what stays. */
export function fitsCard(card: MigCard, wanted: MigCounts, kept: readonly MigInstance[] = []): boolean {
  return placeProfiles(card, kept, wanted) !== null;
}

/** All layouts of the profiles given that nothing of them can be added to, each by memory slice. */
export function maximalLayouts(card: MigCard, profiles: readonly MigProfile[] = plainProfiles(card)): MigInstance[][] {
  const options = profiles.flatMap((profile) => profile.starts.map((start) => ({ profile, start })));
  options.sort((left, right) => left.start - right.start || compareNames(left.profile.name, right.profile.name));
  const found: MigInstance[][] = [];
  const walk = (from: number, on: Occupied, chosen: MigInstance[]) => {
    if (!options.some(({ profile, start }) => conflict(card, on, profile, start) === null)) found.push(chosen);
    for (const [offset, { profile, start }] of options.slice(from).entries()) {
      if (conflict(card, on, profile, start) !== null) continue;
      const next = { ...on, counts: new Map(on.counts) };
      add(next, profile, start);
      walk(from + offset + 1, next, [...chosen, { profile: profile.name, start }]);
    }
  };
  walk(0, empty(), []);
  return found;
}

/** Profiles without media engines: those differ from their twins in nothing that placement looks at but their number. */
export function plainProfiles(card: MigCard): MigProfile[] {
  return card.profiles.filter((profile) => !profile.hasMediaEngines);
}

/** The different multisets of the maximal layouts: the columns that a packing model chooses one of for each card. */
export function migColumns(card: MigCard, profiles: readonly MigProfile[] = plainProfiles(card)): MigColumn[] {
  const columns = new Map<string, MigColumn>();
  for (const instances of maximalLayouts(card, profiles)) {
    const counts = countProfiles(instances);
    const key = Object.entries(counts)
      .map(([name, count]) => `${name}*${count}`)
      .join(' ');
    if (!columns.has(key)) columns.set(key, { counts, instances });
  }
  return [...columns.values()];
}

/** How many of each, names in order. */
export function countProfiles(instances: readonly MigInstance[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of instances.map((one) => one.profile).sort(compareNames)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function place(
  card: MigCard,
  on: Occupied,
  queue: readonly MigProfile[],
  index: number,
  from: number,
): MigInstance[] | null {
  const profile = queue[index];
  if (!profile) return [];
  for (const start of profile.starts) {
    // Equal ones in order of their starts: other orders are the same layout.
    if (start < from || conflict(card, on, profile, start) !== null) continue;
    const next = { ...on, counts: new Map(on.counts) };
    add(next, profile, start);
    const rest = place(card, next, queue, index + 1, queue[index + 1] === profile ? start + 1 : 0);
    if (rest) return [{ profile: profile.name, start }, ...rest];
  }
  return null;
}

function conflict(card: MigCard, on: Occupied, profile: MigProfile, start: number): string | null {
  const { name } = profile;
  if ((on.slices & maskOf(profile, start)) !== 0) return `${name} at memory slice ${start} lies on another instance`;
  if (on.compute + profile.computeSlices > card.computeSlices) {
    return `${name} needs ${profile.computeSlices} compute slices, ${card.computeSlices - on.compute} are left`;
  }
  if ((on.counts.get(name) ?? 0) >= profile.maxPerCard) return `at most ${profile.maxPerCard} of ${name} on one card`;
  if (profile.hasMediaEngines && on.mediaEngines > 0)
    return `at most one instance with media engines (+me) on one card`;
  return null;
}

function occupied(card: MigCard, instances: readonly MigInstance[]): Occupied {
  const on = empty();
  for (const { profile: name, start } of instances) {
    const profile = migProfile(card, name);
    if (profile) add(on, profile, start);
  }
  return on;
}

function add(on: Occupied, profile: MigProfile, start: number): void {
  on.slices |= maskOf(profile, start);
  on.compute += profile.computeSlices;
  on.mediaEngines += profile.hasMediaEngines ? 1 : 0;
  on.counts.set(profile.name, (on.counts.get(profile.name) ?? 0) + 1);
}

function empty(): Occupied {
  return { slices: 0, compute: 0, mediaEngines: 0, counts: new Map() };
}

function maskOf({ memorySlices }: MigProfile, start: number): number {
  return ((1 << memorySlices) - 1) << start;
}

function compareNames(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
