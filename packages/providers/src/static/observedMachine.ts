import type { NodeObservation, NodePhase } from '@ebb/core';
import type { MachineSpec } from '@ebb/documents';
import type { ProviderSettings } from '../contract.ts';
import { type Assignment, offeringOf } from './book.ts';
import type { Health } from './healthRounds.ts';

/** What is told of a machine that was given out. */
export function observedMachine(
  assignment: Assignment,
  machine: MachineSpec,
  { cluster }: ProviderSettings,
  health: Health,
  sleepProblem: string | null,
): NodeObservation {
  const { askedAtMs, id, pool, readyAtMs, region, stage } = assignment;
  const isLost = stage === 'awake' && readyAtMs !== null && !health.isWell;
  const phase = phaseOf(assignment, isLost);
  return {
    id,
    providerId: machine.name,
    cluster,
    pool,
    offering: offeringOf(region, machine),
    phase,
    askedAtMs,
    readyAtMs,
    notice: null,
    message: messageOf(phase, machine, health, sleepProblem),
    failure: isLost ? 'unreachable' : sleepProblem === null ? null : 'sleep-failed',
  };
}

function phaseOf({ readyAtMs, stage }: Assignment, isLost: boolean): NodePhase {
  if (stage === 'sleeping') return 'stopping';
  if (stage === 'waking') return 'requested';
  if (isLost) return 'running';
  return readyAtMs === null ? 'booting' : 'ready';
}

function messageOf(
  phase: NodePhase,
  { sleep, wake }: MachineSpec,
  health: Health,
  sleepProblem: string | null,
): string {
  if (phase === 'stopping') {
    if (sleepProblem !== null) return `is not put to sleep, and its price goes on: ${sleepProblem}`;
    return sleep === null ? 'is given back; it has no command that puts it to sleep, and its price goes on' : '';
  }
  if (phase === 'booting' || phase === 'running') return health.problem ?? '';
  if (phase !== 'ready') return '';
  if (wake === null) return 'is always on: nothing is saved when it is not needed';
  return sleep === null ? 'is never put to sleep: it has no command for that' : '';
}
