import type { Memory } from '../replicas/types.ts';
import type { Claim } from './claim.ts';

/**
 * Who is next among equals. Those that went without wait in a line: whoever is served goes to its end, which is deficit
 * round robin (Shreedhar and Varghese, 1995) with a quantum of one replica, the deficit being the place in the line.
 * It is what keeps members of a shared job cap from starving one another.
 */
interface Turns {
  /** Grows with every round in which somebody joins the line. */
  round: number;
  /** The round each one joined in. */
  waiting: Map<string, number>;
  /** Where the line is full: the last one served of those that are not in it. They go round by name. */
  after: string;
}

const version = 1;
const policy = 'fair-share';
/** Within the 16 KB that memory may have, with room for its other fields. */
const maxLineBytes = 15_000;

/** Gives every claim its place among equals: the longest waiting first, then by name. `claims` are in order of name. */
export function takeTurns(claims: readonly Claim[], memory: Memory | null): void {
  const { waiting, after } = readTurns(memory);
  const isAfter = (claim: Claim) => (claim.workload > after ? 0 : 1);
  const since = (claim: Claim) => waiting.get(claim.workload) ?? Number.POSITIVE_INFINITY;
  const places = claims.map((claim) => ({ claim, since: since(claim), lap: isAfter(claim) }));
  // Stable: those that are equal stay in order of name.
  places.sort((a, b) => (a.since === b.since ? a.lap - b.lap : a.since < b.since ? -1 : 1));
  for (const [index, { claim }] of places.entries()) claim.turn = index;
}

/** What to remember for the next round: those that lack something, oldest first, as far as there is place. */
export function nextTurns(claims: readonly Claim[], memory: Memory | null): Memory {
  const before = readTurns(memory);
  const line: [workload: string, since: number][] = [];
  for (const claim of claims) {
    if (claim.waits || claim.granted >= claim.wanted) continue;
    const wasServed = claim.granted > claim.kept;
    const since = wasServed ? before.round + 2 : (before.waiting.get(claim.workload) ?? before.round + 1);
    line.push([claim.workload, since]);
  }
  line.sort((a, b) => a[1] - b[1]);
  const waiting: Record<string, number> = {};
  let bytes = 0;
  let isFull = false;
  for (const [workload, since] of line) {
    const entryBytes = byteLength(`${JSON.stringify(workload)}:${since},`);
    isFull = bytes + entryBytes > maxLineBytes;
    if (isFull) break;
    bytes += entryBytes;
    // Not an assignment: `__proto__` is a name, too.
    Object.defineProperty(waiting, workload, { value: since, enumerable: true });
  }
  const after = isFull ? lastServed(claims, before) : '';
  const round = line.reduce((largest, [, since]) => Math.max(largest, since), before.round);
  return { version, policy, round: line.length > 0 ? round : 0, waiting, after };
}

function lastServed(claims: readonly Claim[], { waiting, after }: Turns): string {
  let last: Claim | null = null;
  for (const claim of claims) {
    if (claim.granted <= claim.kept || waiting.has(claim.workload)) continue;
    if (last === null || claim.turn > last.turn) last = claim;
  }
  return last?.workload.slice(0, maxNameLength) ?? after;
}

/** A name that is cut still finds its place in the order. */
const maxNameLength = 120;

/** What another version or policy has left is not understood and forgotten: nobody waits. */
function readTurns(memory: Memory | null): Turns {
  const none: Turns = { round: 0, waiting: new Map(), after: '' };
  if (memory?.policy !== policy || memory.version !== version) return none;
  const { round, waiting, after } = memory;
  if (typeof round !== 'number' || !Number.isSafeInteger(round) || round < 0) return none;
  if (typeof waiting !== 'object' || waiting === null || Array.isArray(waiting)) return none;
  const known = Object.entries(waiting).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return { round, waiting: new Map(known), after: typeof after === 'string' ? after : '' };
}

function byteLength(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) bytes += text.charCodeAt(i) < 128 ? 1 : 3;
  return bytes;
}
