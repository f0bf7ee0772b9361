import type { LogLine } from '@ebb/core';
import { appendFileSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { lastLineEnd, readLines } from './lineReader.ts';
import { rotateFile } from './rotateFile.ts';

/**
 * What one replica wrote. Its standard output and error are files that the process itself holds open (append mode),
 * not pipes through the agent: they go on when the agent is gone, and cost it nothing. A third file, `.times`, holds
 * marks `atMs stdoutBytes stderrBytes [note]`, by which lines get their time and the two streams their common order:
 * both are exact to the pace at which the agent looks. Notes are Ebb's own lines.
 */
export interface LogPaths {
  stdout: string;
  stderr: string;
  times: string;
}

export const streams = ['stdout', 'stderr'] as const;
export type Stream = (typeof streams)[number];
type Sizes = Record<Stream, number>;

const longestStreamBytes = 2 * 1024 * 1024;
const longestTimesBytes = 256 * 1024;
/** A follower that is further behind than this skips what lies between. */
const longestLagBytes = 1024 * 1024;

export function logPaths(base: string): LogPaths {
  return { stdout: `${base}.stdout.log`, stderr: `${base}.stderr.log`, times: `${base}.times` };
}

/** Path of a file's older part after a rotation. */
export function rotatedPath(path: string): string {
  return `${path}.1`;
}

export type Emit = (line: LogLine) => void;

/** The log of one replica that runs: opened for the process, marked, rotated, followed. */
export class ReplicaLog {
  readonly paths: LogPaths;
  readonly #replica: string;
  readonly #nowMs: () => number;
  #marked: Sizes;
  /** How far followers have been told; null while nobody follows. Those who already do get all of a new log. */
  #told: Sizes | null;
  #timesBytes: number;

  constructor(base: string, replica: string, nowMs: () => number) {
    this.paths = logPaths(base);
    this.#replica = replica;
    this.#nowMs = nowMs;
    mkdirSync(dirname(base), { recursive: true, mode: 0o700 });
    this.#marked = this.#sizes();
    this.#told = { ...this.#marked };
    this.#timesBytes = sizeOf(this.paths.times);
  }

  /** Descriptors for a new process; the caller closes them after the spawn. */
  open(): { stdout: number; stderr: number; close(): void } {
    const stdout = openSync(this.paths.stdout, 'a', 0o600);
    const stderr = openSync(this.paths.stderr, 'a', 0o600);
    return {
      stdout,
      stderr,
      close() {
        closeSync(stdout);
        closeSync(stderr);
      },
    };
  }

  /** A line of Ebb's own, after everything the replica wrote so far. */
  note(text: string, emit: Emit | null): void {
    const sizes = this.#sizes();
    this.#tell(sizes, emit);
    const atMs = this.#mark(sizes, ` ${text.replace(/\s*\n\s*/g, ' | ')}`);
    emit?.({ replica: this.#replica, atMs, stream: 'ebb', text });
  }

  /** Marks what is new, hands it to followers, and rotates what has grown too large. */
  poll(emit: Emit | null): void {
    const sizes = this.#sizes();
    if (sizes.stdout !== this.#marked.stdout || sizes.stderr !== this.#marked.stderr) this.#mark(sizes, '');
    this.#tell(sizes, emit);
    const tooLong = sizes.stdout > longestStreamBytes || sizes.stderr > longestStreamBytes;
    if (tooLong || this.#timesBytes > longestTimesBytes) this.#rotate(emit);
  }

  /** Where a new follower begins: everything before these offsets has been told to the others. */
  followFrom(): Sizes {
    const sizes = this.#sizes();
    this.#told ??= {
      stdout: lastLineEnd(this.paths.stdout, sizes.stdout),
      stderr: lastLineEnd(this.paths.stderr, sizes.stderr),
    };
    return { ...this.#told };
  }

  #tell(sizes: Sizes, emit: Emit | null): void {
    if (!emit) {
      this.#told = null;
      return;
    }
    const told = (this.#told ??= { ...sizes });
    for (const stream of streams) {
      if (told[stream] > sizes[stream]) told[stream] = 0;
      const skipped = sizes[stream] - longestLagBytes - told[stream];
      if (skipped > 0) {
        told[stream] += skipped;
        emit({
          replica: this.#replica,
          atMs: this.#nowMs(),
          stream: 'ebb',
          text: `${skipped} bytes of ${stream} skipped`,
        });
      }
      const { lines, endOffset } = readLines(this.paths[stream], told[stream], sizes[stream]);
      told[stream] = endOffset;
      for (const { text } of lines) emit({ replica: this.#replica, atMs: this.#nowMs(), stream, text });
    }
  }

  #mark(sizes: Sizes, note: string): number {
    const atMs = this.#nowMs();
    const line = `${atMs} ${sizes.stdout} ${sizes.stderr}${note}\n`;
    appendFileSync(this.paths.times, line, { mode: 0o600 });
    this.#timesBytes += Buffer.byteLength(line);
    this.#marked = sizes;
    return atMs;
  }

  /** The files keep their identity because the process holds them: their content is copied away, then cut off. */
  #rotate(emit: Emit | null): void {
    const sizes = this.#sizes();
    this.#tell(sizes, emit);
    this.#mark(sizes, '');
    for (const path of Object.values(this.paths)) rotateFile(path, rotatedPath(path), longestStreamBytes);
    this.#timesBytes = 0;
    if (this.#told) this.#told = { stdout: 0, stderr: 0 };
    this.#mark({ stdout: 0, stderr: 0 }, '');
  }

  #sizes(): Sizes {
    return { stdout: sizeOf(this.paths.stdout), stderr: sizeOf(this.paths.stderr) };
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
