import { readdirSync, readFileSync } from 'node:fs';

/** One process of a run of a Job. */
export interface JobProcess {
  pid: number;
  /** Id of the run. */
  run: string;
}

/** Every process whose environment holds `mark`, read from the system and not from what Ebb says. Linux only. */
export function jobProcesses(mark: string): JobProcess[] {
  const found: JobProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = read(`/proc/${name}/environ`).split('\0');
    if (!environment.includes(mark)) continue;
    const run = environment.find((variable) => variable.startsWith('EBB_JOB='))?.slice('EBB_JOB='.length);
    if (run !== undefined) found.push({ pid: Number(name), run });
  }
  return found;
}

/** How many runs there are at one moment: those seen by a first look that are all still there in a second one. */
export function runsAtOnce(mark: string): { count: number; processes: JobProcess[] } {
  const processes = jobProcesses(mark);
  const first = new Set(processes.map(({ run }) => run));
  if (first.size === 0) return { count: 0, processes };
  const second = new Set(jobProcesses(mark).map(({ run }) => run));
  return { count: [...first].filter((run) => second.has(run)).length, processes };
}

/** Whether the process is there and has all these words in its command line. */
export function runsCommand(pid: number, ...words: string[]): boolean {
  const command = read(`/proc/${pid}/cmdline`);
  return words.every((word) => command.includes(word));
}

/** Processor time so far; null where the process is gone. */
export function cpuSeconds(pid: number): number | null {
  const fields = read(`/proc/${pid}/stat`).split(') ').pop()?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / 100 : null;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // It has ended.
  }
}
