import type { LogLine } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { workloadKey } from './environment.ts';
import { pathPart } from './pathPart.ts';
import { readTail } from './logTail.ts';
import { type Emit, logPaths, ReplicaLog, rotatedPath, type Stream } from './replicaLog.ts';

/** Logs of ended replicas that are kept for each workload. */
const keptEndedLogs = 10;
/** Logs of forgotten runs that are kept for each owner. */
export const keptForgottenLogs = 50;
const mostTailLines = 10_000;
const markEveryMs = 200;
const markEveryMsWhileFollowed = 40;

interface OpenLog {
  key: ObjectKey;
  workload: string;
  replica: string;
  log: ReplicaLog;
}

interface Follower {
  workload: string;
  replica: string | null;
  emit: Emit;
}

export interface LogQuery {
  /** Key text of the workload. */
  workload: string;
  /** Null: all of them. */
  replica: string | null;
  tailLines: number;
}

/** The logs of all replicas under one folder: `NAMESPACE/WORKLOAD/REPLICA.{stdout.log,stderr.log,times}`. */
export class LogFiles {
  readonly #folder: string;
  readonly #nowMs: () => number;
  readonly #open = new Map<string, OpenLog>();
  readonly #followers = new Set<Follower>();
  /** Ended runs that are still listed: their logs are kept, whatever their number. */
  readonly #listed = new Set<string>();
  /** Forgotten runs whose logs are there, oldest first, by owner. */
  readonly #forgotten = new Map<string, string[]>();
  #timer: NodeJS.Timeout | null = null;
  #timerMs = 0;

  constructor(folder: string, nowMs: () => number) {
    this.#folder = folder;
    this.#nowMs = nowMs;
  }

  /** Begins (or goes on with) the log of a replica. */
  open(workload: ObjectKey, replica: string): { log: ReplicaLog; note(text: string): void } {
    const key = workloadKey({ workload });
    const log = new ReplicaLog(this.#base(workload, replica), replica, this.#nowMs);
    this.#open.set(replica, { key: workload, workload: key, replica, log });
    this.#schedule();
    return { log, note: (text) => this.#write(() => log.note(text, this.#emitFor(key, replica))) };
  }

  /** The replica has ended: takes what it wrote last. Its files stay, the oldest of its workload's ended ones do not. */
  close(replica: string): void {
    const open = this.#end(replica);
    if (open) this.#write(() => this.#prune(open.key));
  }

  /** The run has ended: takes what it wrote last. Its files stay at least until it is forgotten. */
  keep(run: string): void {
    this.#listed.add(run);
    this.#end(run);
  }

  /** The run is not listed any more: of the owner's runs of this kind the newest 50 keep their logs. */
  forget(owner: ObjectKey, run: string): void {
    this.#end(run);
    this.#listed.delete(run);
    this.#write(() => {
      const key = workloadKey({ workload: owner });
      const forgotten =
        this.#forgotten.get(key) ??
        this.#endedLogsOf(owner)
          .reverse()
          .filter((name) => name !== run);
      this.#forgotten.set(key, forgotten);
      forgotten.push(run);
      for (const name of forgotten.splice(0, Math.max(0, forgotten.length - keptForgottenLogs))) {
        this.#remove(owner, name);
      }
    });
  }

  #end(replica: string): OpenLog | null {
    const open = this.#open.get(replica);
    if (!open) return null;
    this.#write(() => open.log.poll(this.#emitFor(open.workload, replica)));
    this.#open.delete(replica);
    this.#schedule();
    return open;
  }

  /** The last lines that a replica itself wrote. */
  lastOutput(workload: ObjectKey, replica: string, count: number): string[] {
    const lines = readTail(this.#base(workload, replica), replica, count + keptEndedLogs);
    return lines
      .filter(({ stream }) => stream !== 'ebb')
      .map(({ text }) => text)
      .slice(-count);
  }

  /** The last lines of one or all replicas of a workload, ended ones included, oldest first. */
  tail(query: LogQuery): LogLine[] {
    return this.#tail(query, new Map());
  }

  #tail({ workload, replica, tailLines }: LogQuery, limits: Map<string, Record<Stream, number>>): LogLine[] {
    const count = Math.min(mostTailLines, Math.max(0, Math.trunc(tailLines)));
    const key = keyOf(workload);
    if (count === 0 || !key) return [];
    const replicas = replica === null ? this.#replicasOf(key) : [replica];
    const lines = replicas.flatMap((name) => readTail(this.#base(key, name), name, count, limits.get(name)));
    return lines.sort((left, right) => left.atMs - right.atMs).slice(-count);
  }

  /** Tells the last lines, then every new one (also of replicas to come) until the returned function is called. */
  follow(query: LogQuery, emit: Emit): () => void {
    const follower: Follower = { workload: query.workload, replica: query.replica, emit };
    const limits = new Map<string, Record<Stream, number>>();
    for (const { workload, replica, log } of this.#open.values()) {
      if (!matches(follower, workload, replica)) continue;
      this.#write(() => log.poll(this.#emitFor(workload, replica)));
      limits.set(replica, log.followFrom());
    }
    this.#followers.add(follower);
    for (const line of this.#tail(query, limits)) emit(line);
    this.#schedule();
    return () => {
      this.#followers.delete(follower);
      this.#schedule();
    };
  }

  /** Stops looking; what runs goes on writing. */
  end(): void {
    this.#poll();
    this.#open.clear();
    this.#followers.clear();
    this.#schedule();
  }

  #emitFor(workload: string, replica: string): Emit | null {
    const followers = [...this.#followers].filter((follower) => matches(follower, workload, replica));
    if (followers.length === 0) return null;
    return (line) => {
      for (const { emit } of followers) emit(line);
    };
  }

  #poll(): void {
    for (const { workload, replica, log } of this.#open.values()) {
      this.#write(() => log.poll(this.#emitFor(workload, replica)));
    }
  }

  #write(write: () => void): void {
    try {
      write();
    } catch {
      // A full disk: the replica goes on, and its lines get their time from the next mark that can be written.
    }
  }

  #schedule(): void {
    const wantedMs = this.#open.size === 0 ? 0 : this.#followers.size > 0 ? markEveryMsWhileFollowed : markEveryMs;
    if (wantedMs === this.#timerMs) return;
    this.#timerMs = wantedMs;
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = wantedMs === 0 ? null : setInterval(() => this.#poll(), wantedMs);
  }

  #base(workload: ObjectKey, replica: string): string {
    return join(this.#folder, pathPart(workload.namespace), pathPart(workload.name), pathPart(replica));
  }

  #replicasOf(workload: ObjectKey): string[] {
    return this.#logsOf(workload).map(({ replica }) => replica);
  }

  /** Newest first. */
  #logsOf(workload: ObjectKey): { replica: string; changedMs: number }[] {
    const folder = join(this.#folder, pathPart(workload.namespace), pathPart(workload.name));
    const suffix = '.times';
    return namesIn(folder)
      .filter((name) => name.endsWith(suffix))
      .map((name) => ({
        replica: decodeURIComponent(name.slice(0, -suffix.length)),
        changedMs: statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
      }))
      .sort((left, right) => right.changedMs - left.changedMs);
  }

  /** Newest first. */
  #endedLogsOf(workload: ObjectKey): string[] {
    const names = this.#logsOf(workload).map(({ replica }) => replica);
    return names.filter((replica) => !this.#open.has(replica) && !this.#listed.has(replica));
  }

  #prune(workload: ObjectKey): void {
    for (const replica of this.#endedLogsOf(workload).slice(keptEndedLogs)) this.#remove(workload, replica);
  }

  #remove(workload: ObjectKey, replica: string): void {
    for (const path of Object.values(logPaths(this.#base(workload, replica)))) {
      rmSync(path, { force: true });
      rmSync(rotatedPath(path), { force: true });
    }
  }
}

function matches(follower: Follower, workload: string, replica: string): boolean {
  return follower.workload === workload && (follower.replica === null || follower.replica === replica);
}

function keyOf(text: string): ObjectKey | null {
  const [cluster, namespace, name] = text.split('/');
  return cluster && namespace && name ? { cluster, namespace, name } : null;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
