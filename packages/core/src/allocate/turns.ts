import type { Memory } from '../replicas/types.ts';
import type { Claim } from './claim.ts';

/**
 * Who is next among equals. Those that went without stand in a line; whoever is served goes to its end, in the order of
 * the last replica each was given. This is deficit round robin (Shreedhar and Varghese, 1995) with a quantum of one
 * replica, the deficit being the place in the line. It keeps members of a shared job cap from starving one another.
 */
interface Turns {
  /** Place of each in the line. */
  places: Map<string, number>;
  /** Where the line is full: the last one by name that was served or joined it. The others go round by name. */
  after: string;
}

const version = 1;
const policy = 'fair-share';
/** Within the 16 KB that memory may have, with room for its other fields. */
const maxLineBytes = 15_000;
/** A name that is cut still finds its place in the order. */
const maxNameLength = 120;

/** Gives every claim its place among equals: the longest waiting first, then by name. `claims` are in order of name. */
export function takeTurns(claims: readonly Claim[], memory: Memory | null): void {
  const { places, after } = readTurns(memory);
  const line = claims.filter(({ workload }) => places.has(workload));
  line.sort((a, b) => (places.get(a.workload) ?? 0) - (places.get(b.workload) ?? 0));
  const others = claims.filter(({ workload }) => !places.has(workload));
  const lap = (claim: Claim) => (claim.workload > after ? 0 : 1);
  others.sort((a, b) => lap(a) - lap(b));
  for (const [turn, claim] of [...line, ...others].entries()) claim.turn = turn;
}

/**
 * What to remember for the next round: those that lack something, as far as there is place. `served` are in the order
 * of the last replica that each was given.
 */
export function nextTurns(claims: readonly Claim[], served: ReadonlySet<Claim>, memory: Memory | null): Memory {
  const lacks = (claim: Claim) => !claim.waits && claim.granted < claim.wanted;
  const unserved = claims.filter((claim) => lacks(claim) && !served.has(claim)).sort((a, b) => a.turn - b.turn);
  const line: Claim[] = [];
  let bytes = 0;
  for (const claim of [...unserved, ...[...served].filter(lacks)]) {
    bytes += byteLength(JSON.stringify(claim.workload)) + 1;
    if (bytes > maxLineBytes) break;
    line.push(claim);
  }
  const after = bytes > maxLineBytes ? lastOf([...served, ...line], readTurns(memory)) : '';
  return { version, policy, line: line.map(({ workload }) => workload), after };
}

/** Of those that did not stand in the line before, the last one that had a turn. */
function lastOf(claims: readonly Claim[], { places, after }: Turns): string {
  let last: Claim | null = null;
  for (const claim of claims) {
    if (!places.has(claim.workload) && (last === null || claim.turn > last.turn)) last = claim;
  }
  return last?.workload.slice(0, maxNameLength) ?? after;
}

/** What another version or policy has left is not understood and forgotten: nobody waits. */
function readTurns(memory: Memory | null): Turns {
  if (memory?.policy !== policy || memory.version !== version) return { places: new Map(), after: '' };
  const { line, after } = memory;
  const names = Array.isArray(line) ? line.filter((name) => typeof name === 'string') : [];
  return { places: new Map(names.map((name, place) => [name, place])), after: typeof after === 'string' ? after : '' };
}

function byteLength(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) bytes += text.charCodeAt(i) < 128 ? 1 : 3;
  return bytes;
}
