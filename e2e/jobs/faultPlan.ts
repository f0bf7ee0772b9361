import type { SeededRandom } from '@ebb/testing';

/** `both`: the agent is killed while the control plane is away. */
export const faults = ['controlPlane', 'agent', 'both', 'worker', 'broker'] as const;
export type Fault = (typeof faults)[number];

export interface PlannedFault {
  fault: Fault;
  /** Happens once so many messages are done. */
  atDone: number;
  /** How long what was killed stays away. */
  awayMs: number;
  /** A worker: the whole group, or the one process of it that this part of 1 points at. */
  target: 'group' | number;
}

/** As many faults of each kind as asked for, at places and in an order that the random numbers choose. */
export function planFaults(random: SeededRandom, messages: number, counts: Record<Fault, number>): PlannedFault[] {
  const planned = faults.flatMap((fault) =>
    Array.from({ length: counts[fault] }, () => ({
      fault,
      atDone: random.integer(Math.floor(messages * 0.03), Math.floor(messages * 0.8)),
      awayMs: Math.min(3000, random.exponential(400)),
      target: random.chance(0.4) ? ('group' as const) : random.next(),
    })),
  );
  return planned.sort((left, right) => left.atDone - right.atDone);
}

/** All kinds with their numbers, in one line. */
export function faultText(counts: Record<Fault, number>): string {
  return faults.map((fault) => `${names[fault]} ${counts[fault]}`).join(', ');
}

const names: Record<Fault, string> = {
  controlPlane: 'control plane',
  agent: 'agent',
  both: 'both at once',
  worker: 'worker',
  broker: 'broker',
};
