import { hasProcessTable, readProcessesSince, signalReaches } from './processTable.ts';
import { pause } from './pause.ts';

const never = new AbortController().signal;
const firstLookMs = 2;
const longestLookMs = 50;
/** How long the kernel may take to end a group after SIGKILL (uninterruptible I/O) before it is reported. */
const killPatienceMs = 10_000;

/** Sends a signal to every process of the group; false when there is none. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether anybody of the group still runs, by what was seen since `sinceMs`. Processes that have ended and wait for
 * their parent do not count. (Where nobody runs nobody can be born into the group, so an older "no" stays true.)
 */
function groupRuns(group: number, sinceMs: number): boolean {
  if (!signalReaches(-group)) return false;
  if (!hasProcessTable) return true;
  return readProcessesSince(sinceMs).some((entry) => entry.group === group && !entry.ended);
}

/**
 * Ends a whole process group: SIGTERM, at most `graceMs`, SIGKILL. Resolves when nobody of it runs any more.
 * `exited` (the leader ended) makes it look at once; `onKill` is called when the grace was not enough. Rejects when
 * even SIGKILL did not end it in ten seconds.
 */
export async function endGroup(
  group: number,
  options: { graceMs: number; exited: AbortSignal; onKill: () => void },
): Promise<void> {
  if (!signalGroup(group, 'SIGTERM') || (await isGoneWithin(group, options.graceMs, options.exited))) return;
  options.onKill();
  signalGroup(group, 'SIGKILL');
  if (!(await isGoneWithin(group, killPatienceMs, options.exited))) {
    throw new Error(`process group ${group} survives SIGKILL`);
  }
}

/** As `endGroup`, and tries again for as long as it takes: what is stuck in the kernel must not be taken for gone. */
export async function endGroupForCertain(
  group: number,
  options: {
    graceMs: number;
    exited: Promise<unknown>;
    onKill: (graceMs: number) => void;
    onProblem: (error: unknown) => void;
  },
): Promise<void> {
  const leader = new AbortController();
  void options.exited.then(() => leader.abort());
  for (let { graceMs } = options; ; graceMs = 0) {
    try {
      return await endGroup(group, { graceMs, exited: leader.signal, onKill: () => options.onKill(graceMs) });
    } catch (error) {
      options.onProblem(error);
    }
  }
}

async function isGoneWithin(group: number, limitMs: number, exited: AbortSignal): Promise<boolean> {
  const beganMs = performance.now();
  const endMs = beganMs + limitMs;
  // While its leader runs the group does, which is cheaper to know than who else is in it.
  const runs = () => (exited.aborted ? groupRuns(group, beganMs) : signalReaches(-group));
  for (let lookMs = firstLookMs; runs(); lookMs = Math.min(longestLookMs, lookMs * 2)) {
    const leftMs = endMs - performance.now();
    if (leftMs <= 0) return false;
    await pause(Math.min(lookMs, leftMs), exited.aborted ? never : exited);
  }
  return true;
}
