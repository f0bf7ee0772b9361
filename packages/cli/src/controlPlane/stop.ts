import type { SystemStatus } from '@ebb/documents';
import { countText } from '../text/format.ts';
import { isRunning, killNow, waitUntilGone } from './processes.ts';

/** Longer than the longest usual drain and grace together; what takes longer is told and left to a second Ctrl-C. */
const longestStopMs = 120_000;
const progressEveryMs = 2_000;

export interface StopTarget {
  /** The control plane's own process. */
  controlPlanePid: number;
  /** Asks the control plane to end replicas, gateway, agent and itself. */
  shutdown: () => Promise<void>;
  status: () => Promise<SystemStatus>;
}

export interface StopOutcome {
  replicas: number;
  /** `gateway`, `agent`, `control plane`: which of them were there. */
  processes: string[];
  /** Ids of processes that still exist. */
  left: number[];
}

/** Ids of all that belongs to this Ebb, with what each is. */
export function processesOf(controlPlanePid: number, status: SystemStatus | null): { pid: number; what: string }[] {
  const all: { pid: number | null; what: string }[] = [
    ...(status?.workloads.flatMap(({ replicaList }) => replicaList.map(({ pid }) => ({ pid, what: 'replica' }))) ?? []),
    { pid: status?.gateway.pid ?? null, what: 'gateway' },
    { pid: status?.agent.pid ?? null, what: 'agent' },
    { pid: controlPlanePid, what: 'control plane' },
  ];
  return all.flatMap(({ pid, what }) => (pid !== null && pid > 0 && isRunning(pid) ? [{ pid, what }] : []));
}

/** Ends everything and waits until the processes are gone. `progress` hears every two seconds what is waited for. */
export async function stopEbb(target: StopTarget, progress: (line: string) => void): Promise<StopOutcome> {
  const status = await target.status().catch(() => null);
  const targets = processesOf(target.controlPlanePid, status);
  // The control plane may be gone before it can answer: what counts is that the processes end.
  const asked = target.shutdown().catch(() => {});
  const pids = targets.map(({ pid }) => pid);
  for (let waited = 0; waited < longestStopMs; waited += progressEveryMs) {
    if (await waitUntilGone(pids, progressEveryMs)) break;
    progress(waitingText(targets.filter(({ pid }) => isRunning(pid))));
  }
  await Promise.race([asked, waitUntilGone([target.controlPlanePid], 1_000)]);
  return {
    replicas: targets.filter(({ what }) => what === 'replica').length,
    processes: targets.map(({ what }) => what).filter((what) => what !== 'replica'),
    left: pids.filter(isRunning),
  };
}

/** Replicas go first, when their requests are answered; the others only wait for them. */
function waitingText(left: { pid: number; what: string }[]): string {
  const replicas = left.filter(({ what }) => what === 'replica');
  if (replicas.length > 0) {
    const pids = replicas.map(({ pid }) => pid).join(', ');
    return `waiting for ${countText(replicas.length, 'replica')} to answer what is in flight (pid ${pids}) …`;
  }
  return `waiting for ${left.map(({ what, pid }) => `the ${what} (pid ${pid})`).join(', ')} …`;
}

/** Without waiting: kills what is known. For the second Ctrl-C. */
export function forceStop(controlPlanePid: number, status: SystemStatus | null): number[] {
  return killNow(processesOf(controlPlanePid, status).map(({ pid }) => pid));
}

export function stopText({ replicas, processes }: StopOutcome): string {
  const parts = [...(replicas > 0 ? [countText(replicas, 'replica')] : []), ...processes.map((name) => `the ${name}`)];
  const last = parts.pop() ?? 'nothing';
  return parts.length > 0 ? `stopped ${parts.join(', ')} and ${last}` : `stopped ${last}`;
}
