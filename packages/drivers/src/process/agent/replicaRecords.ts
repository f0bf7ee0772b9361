import type { DriverPhase, GpuHolding, ReplicaObservation, ReplicaStart } from '@ebb/core';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashHistory } from './backoff.ts';
import { pathPart } from './pathPart.ts';
import { readHolding } from './gpuHolding.ts';
import { Fields, readReplicaStart } from './replicaStart.ts';

const format = 1;

/** The process that runs a replica, with what identifies it after the agent is gone. */
export interface RunningProcess {
  /** Null: about to be spawned when this was written. */
  pid: number | null;
  startTicks: number | null;
  port: number;
  spawnedAtUs: number;
}

/** All that a new agent needs to go on with a replica of an earlier one. */
export interface ReplicaRecord {
  start: ReplicaStart;
  seen: ReplicaObservation;
  process: RunningProcess | null;
  history: CrashHistory;
  /** When it was first asked for, on the control plane's clock and on the monotonic one. */
  anchor: Anchor;
  /** Its devices, from its first start to its end. */
  gpus: GpuHolding | null;
}

export interface Anchor {
  askedAtMs: number;
  askedAtUs: number;
}

/**
 * One small file a replica, replaced atomically: a replica's change costs the same however many there are. Only the
 * owner can read them, since a replica's environment stands in them. They are not synced to the disk: after a power
 * cut there are no processes to find either.
 */
export class ReplicaRecords {
  readonly #folder: string;
  readonly #bootId: string;

  constructor(folder: string, bootId: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#bootId = bootId;
  }

  save(record: ReplicaRecord): void {
    const path = this.#path(record.start.id);
    writeFileSync(`${path}.new`, JSON.stringify({ format, bootId: this.#bootId, ...record }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  drop(id: string): void {
    try {
      unlinkSync(this.#path(id));
    } catch {
      // It was never written.
    }
  }

  /** Records of this boot; those of an earlier one are removed, and what cannot be read is named. */
  load(onUnreadable: (file: string, reason: string) => void): ReplicaRecord[] {
    const found: ReplicaRecord[] = [];
    for (const name of readdirSync(this.#folder)) {
      const file = join(this.#folder, name);
      if (!name.endsWith('.json')) {
        rmSync(file, { force: true });
        continue;
      }
      try {
        const record = this.#read(readFileSync(file, 'utf8'));
        if (record) found.push(record);
        else rmSync(file, { force: true });
      } catch (error) {
        onUnreadable(file, error instanceof Error ? error.message : String(error));
      }
    }
    return found;
  }

  #read(text: string): ReplicaRecord | null {
    const record = new Fields(JSON.parse(text), 'record');
    if (record.number('format', 1) !== format) throw new Error(`record.format: only ${format} is known`);
    if (record.text('bootId') !== this.#bootId) return null;
    const history = record.object('history');
    const running = record.value('process') === null ? null : record.object('process');
    const start = readReplicaStart(record.value('start'));
    return {
      start,
      seen: readObservation(record.object('seen'), start),
      process: running && {
        pid: running.numberOrNull('pid'),
        startTicks: running.numberOrNull('startTicks'),
        port: running.number('port', 1),
        spawnedAtUs: running.number('spawnedAtUs', 0),
      },
      history: {
        crashesInARow: history.number('crashesInARow', 0),
        starts: history.number('starts', 0),
        everReady: history.value('everReady') === true,
      },
      anchor: readAnchor(record.object('anchor')),
      gpus: readHolding(record),
    };
  }

  #path(id: string): string {
    return join(this.#folder, `${pathPart(id)}.json`);
  }
}

export function readAnchor(anchor: Fields): Anchor {
  return { askedAtMs: anchor.number('askedAtMs', 0), askedAtUs: anchor.number('askedAtUs', 0) };
}

const phases: readonly DriverPhase[] = ['starting', 'ready', 'unready', 'stopping', 'backoff', 'failed', 'gone'];

function readObservation(
  seen: Fields,
  { id, workload, class: className, revision, node }: ReplicaStart,
): ReplicaObservation {
  const phase = phases.find((known) => known === seen.value('phase'));
  if (!phase) throw new Error(`${seen.path}.phase: unknown phase`);
  const endpoint = seen.value('endpoint') === null ? null : seen.object('endpoint');
  const stages = seen.object('stagesUs');
  return {
    id,
    workload,
    class: className,
    revision,
    node,
    phase,
    endpoint: endpoint && { host: endpoint.text('host'), port: endpoint.number('port', 1) },
    pid: seen.numberOrNull('pid'),
    restarts: seen.number('restarts', 0),
    message: seen.text('message'),
    failure: seen.textOrNull('failure'),
    askedAtMs: seen.number('askedAtMs', 0),
    readyAtMs: seen.numberOrNull('readyAtMs'),
    readyAtUs: seen.numberOrNull('readyAtUs'),
    stagesUs: {
      askToSpawn: stages.numberOrNull('askToSpawn'),
      spawnToListen: stages.numberOrNull('spawnToListen'),
      listenToReady: stages.numberOrNull('listenToReady'),
    },
  };
}
