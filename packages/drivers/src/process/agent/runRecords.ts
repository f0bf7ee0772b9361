import type { GpuHolding, RunObservation, RunPhase, RunStart } from '@ebb/core';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { nowUs } from './monotonic.ts';
import { readHolding } from './gpuHolding.ts';
import { pathPart } from './pathPart.ts';
import { type Anchor, readAnchor } from './replicaRecords.ts';
import { Fields, readKey } from './replicaStart.ts';
import { readRunStart } from './runStart.ts';
import { type RunEnd, type RunStatus, statusOf } from './runWrapper.ts';

const format = 1;
const suffix = '.run';

/** What is needed as long as a run has not ended. */
export interface LiveRun {
  start: RunStart;
  /** The wrapper, with what identifies it after the agent is gone. Null: about to be spawned when this was written. */
  process: { pid: number; startTicks: number | null; spawnedAtUs: number } | null;
  /** Its result where that was decided before its processes were ended (its memory limit). */
  verdict: RunEnd | null;
  anchor: Anchor;
  gpus: GpuHolding | null;
}

/** All that a new agent needs to go on with a run of an earlier one; of an ended one only what was seen. */
export interface RunRecord {
  seen: RunObservation;
  live: LiveRun | null;
  /** The machine was started again since: its pid means nothing. */
  earlierBoot: boolean;
}

/**
 * What an agent notes of its runs: one file each, which both the agent and the run's wrapper append lines to, since a
 * file is dear to make and cheap to write on. The agent's lines are JSON objects, the later winning field by field; the
 * rest is the wrapper's. Every line is written at once and begins with a line end, so that one that was cut off spoils
 * no other. Only the owner can read them, since environments stand in them. Records of an earlier boot are kept: a
 * result that nobody has asked for yet is still one.
 */
export class RunRecords {
  readonly #folder: string;
  readonly #bootId: string;

  constructor(folder: string, bootId: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#bootId = bootId;
  }

  /** Begins a run's record. */
  create(seen: RunObservation, { start, anchor }: LiveRun): void {
    const line = lineOf({ format, bootId: this.#bootId, start, anchor, seen, process: null, verdict: null });
    writeFileSync(this.#path(seen.id), line, { mode: 0o600 });
  }

  save(seen: RunObservation, live: LiveRun | null): void {
    const line = live ? { seen, process: live.process, verdict: live.verdict, gpus: live.gpus } : { seen };
    appendFileSync(this.#path(seen.id), lineOf(line), { mode: 0o600 });
  }

  drop(id: string): void {
    try {
      unlinkSync(this.#path(id));
    } catch {
      // It was never written.
    }
  }

  /** For the wrapper to write on; the caller closes the descriptor. */
  open(id: string): { status: number; close(): void } {
    const status = openSync(this.#path(id), 'a', 0o600);
    return { status, close: () => closeSync(status) };
  }

  /** What the wrapper has written; null when there is no record that can be read. */
  readStatus(id: string): RunStatus | null {
    try {
      const path = this.#path(id);
      const lines = linesOf(readFileSync(path, 'utf8')).filter((line) => !isOwn(line));
      return { ...statusOf(lines), changedAtMs: Math.round(statSync(path).mtimeMs) };
    } catch {
      return null;
    }
  }

  /** Where the record of a run really is; it must exist. */
  fileOf(id: string): string {
    return realpathSync(this.#path(id));
  }

  /** What cannot be read is named and left alone. */
  load(onUnreadable: (file: string, reason: string) => void): RunRecord[] {
    const found: RunRecord[] = [];
    for (const name of readdirSync(this.#folder)) {
      const file = join(this.#folder, name);
      if (!name.endsWith(suffix)) {
        rmSync(file, { force: true });
        continue;
      }
      try {
        found.push(this.#read(readFileSync(file, 'utf8')));
      } catch (error) {
        onUnreadable(file, error instanceof Error ? error.message : String(error));
      }
    }
    return found;
  }

  #read(text: string): RunRecord {
    const record = new Fields(Object.assign({}, ...linesOf(text).filter(isOwn).map(parsed)), 'record');
    if (record.number('format', 1) !== format) throw new Error(`record.format: only ${format} is known`);
    const earlierBoot = record.text('bootId') !== this.#bootId;
    const seen = readObservation(record.object('seen'));
    return { seen, earlierBoot, live: seen.endedAtMs === null ? readLive(record, earlierBoot) : null };
  }

  #path(id: string): string {
    return join(this.#folder, `${pathPart(id)}${suffix}`);
  }
}

function lineOf(value: object): string {
  return `\n${JSON.stringify(value)}\n`;
}

/** Complete lines; what follows the last line end is being written, or was cut off. */
function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1).filter(Boolean);
}

function isOwn(line: string): boolean {
  return line.startsWith('{');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return {}; // Cut off: what it would have said is found out again.
  }
}

function readLive(record: Fields, earlierBoot: boolean): LiveRun {
  const process = record.value('process') === null ? null : record.object('process');
  const verdict = record.value('verdict') === null ? null : record.object('verdict');
  return {
    start: readRunStart(record.value('start')),
    process:
      process && !earlierBoot
        ? {
            pid: process.number('pid', 1),
            startTicks: process.numberOrNull('startTicks'),
            spawnedAtUs: process.number('spawnedAtUs', 0),
          }
        : null,
    verdict: verdict && {
      exitCode: verdict.numberOrNull('exitCode'),
      failure: verdict.textOrNull('failure'),
      message: verdict.text('message'),
    },
    gpus: earlierBoot ? null : readHolding(record),
    // The monotonic clock began anew with the boot.
    anchor: earlierBoot ? { askedAtMs: Date.now(), askedAtUs: nowUs() } : readAnchor(record.object('anchor')),
  };
}

const phases: readonly RunPhase[] = ['starting', 'running', 'succeeded', 'failed', 'stopping', 'gone'];

function readObservation(seen: Fields): RunObservation {
  const phase = phases.find((known) => known === seen.value('phase'));
  if (!phase) throw new Error(`${seen.path}.phase: unknown phase`);
  return {
    id: seen.text('id'),
    owner: readKey(seen.object('owner')),
    phase,
    pid: seen.numberOrNull('pid'),
    exitCode: seen.numberOrNull('exitCode'),
    message: seen.text('message'),
    failure: seen.textOrNull('failure'),
    startedAtMs: seen.number('startedAtMs', 0),
    endedAtMs: seen.numberOrNull('endedAtMs'),
  };
}
