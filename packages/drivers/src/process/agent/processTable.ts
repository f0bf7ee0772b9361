import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What the system knows of one process. */
export interface ProcessEntry {
  pid: number;
  /** Process group. */
  group: number;
  /** Clock ticks between the boot and its start: with the pid, its identity. */
  startTicks: number;
  /** Has ended and waits for its parent. */
  ended: boolean;
  residentBytes: number;
  /** CPU time of its own and of children that have ended and been waited for. */
  cpuMs: number;
}

const pageBytes = 4096;
/** Of a clock tick in `/proc`: a hundred a second on every Linux, whatever its kernel's own rate. */
const tickMs = 10;

/** Whether this system has a `/proc` to read; without it (macOS) only signals tell whether a process lives. */
export const hasProcessTable = process.platform === 'linux';

/** One process, or null when there is none with this pid. */
export function readProcess(pid: number): ProcessEntry | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The name stands in parentheses and may contain anything, so that fields are counted from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    group: Number(fields[2]),
    startTicks: Number(fields[19]),
    ended: fields[0] === 'Z' || fields[0] === 'X',
    residentBytes: Number(fields[21]) * pageBytes,
    cpuMs: (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) * tickMs,
  };
}

/** Every process of the machine: about 25 µs each. */
export function readProcesses(): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 48 || first > 57) continue;
    const entry = readProcess(Number(name));
    if (entry) found.push(entry);
  }
  return found;
}

/** What a process holds, pages shared with others by proportion; null where it cannot be read. Dear: it walks the pages. */
export function proportionalBytes(pid: number): number | null {
  return bytesIn(`/proc/${pid}/smaps_rollup`, 'Pss');
}

/** The most that was ever resident of one process. */
export function peakResidentBytes(pid: number): number | null {
  return bytesIn(`/proc/${pid}/status`, 'VmHWM');
}

function bytesIn(path: string, field: 'Pss' | 'VmHWM'): number | null {
  try {
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(path, 'latin1'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}

/** How old a reading may be that several share: many replicas that end at once cost no more than one. */
const sharedForMs = 20;
let shared: { readAtMs: number; entries: ProcessEntry[] } = { readAtMs: Number.NEGATIVE_INFINITY, entries: [] };

/** Every process, as of a moment (`performance.now()`) that is not before `sinceMs` and at most 20 ms ago. */
export function readProcessesSince(sinceMs: number): ProcessEntry[] {
  const nowMs = performance.now();
  if (shared.readAtMs < sinceMs || nowMs - shared.readAtMs > sharedForMs) {
    shared = { readAtMs: nowMs, entries: readProcesses() };
  }
  return shared.entries;
}

/** Whether the process that was started at `startTicks` still runs under this pid. */
export function isRunning(pid: number, startTicks: number | null): boolean {
  if (!hasProcessTable) return signalReaches(pid);
  const entry = readProcess(pid);
  return entry !== null && !entry.ended && (startTicks === null || entry.startTicks === startTicks);
}

/** Changes with every boot: pids of an earlier one mean nothing. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/** Whether a signal to the process (or, negative, to the group) would reach anybody. */
export function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Group leader whose environment holds every `NAME=value`; null when there is none that may be read. */
export function findByEnvironment(wanted: string[]): ProcessEntry | null {
  if (!hasProcessTable) return null;
  for (const entry of readProcesses()) {
    if (!entry.ended && entry.group === entry.pid && environmentHolds(entry.pid, wanted)) return entry;
  }
  return null;
}

/** Group leader that holds the file open as one of the descriptors; null when there is none that may be read. */
export function findByOpenFile(path: string, descriptors: number[]): ProcessEntry | null {
  if (!hasProcessTable) return null;
  for (const entry of readProcesses()) {
    if (entry.ended || entry.group !== entry.pid) continue;
    if (descriptors.some((descriptor) => openFile(entry.pid, descriptor) === path)) return entry;
  }
  return null;
}

function openFile(pid: number, descriptor: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    return null;
  }
}

/** Whether the process was started with every `NAME=value`; false where that may not be read. */
export function environmentHolds(pid: number, wanted: string[]): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return wanted.every((variable) => environment.includes(variable));
  } catch {
    return false;
  }
}
