import type { Clock, DriverEvent, RunObservation, RunPod, TemplateStart } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import type { JobRuns } from '../jobs/jobRuns.ts';
import type { JobsMade, Side } from './comparison.ts';

/** What makes the Jobs of ScaledJobs, and says what becomes of them. */
export type RunsPart = Pick<JobRuns, 'runTemplate' | 'stop' | 'list' | 'watch' | 'close'>;

export interface AdvisedJobsOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Jobs that are really there. */
  readonly real: RunsPart;
  /** What runs of a ScaledJob, really or imagined, is something else by now. */
  onChanged(owner: ObjectKey): void;
}

interface Advised {
  readonly owner: ObjectKey;
  /** By id. */
  readonly imagined: Map<string, RunObservation>;
  /** Real Jobs by id, with the id of the imagined one that stands for the same work; null: none does. */
  readonly real: Map<string, { run: RunObservation; stands: string | null }>;
  made: { actual: number; advised: number };
}

const running: RunPod = {
  phase: 'Running',
  trueConditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready', 'PodReadyToStartContainers'],
};

/**
 * Jobs of ScaledJobs that are advised on are imagined, all others are made. One that is imagined runs from when it is asked for;
 * the sources are real, and work that it would have taken stays in them until a real Job takes it. So each stands for one real Job,
 * in order, and ends as that one does.
 */
export class AdvisedJobs implements RunsPart {
  readonly #options: AdvisedJobsOptions;
  readonly #advised = new Map<string, Advised>();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #unwatch: () => void;

  constructor(options: AdvisedJobsOptions) {
    this.#options = options;
    this.#unwatch = options.real.watch((event) => {
      const advised = event.type === 'run' ? this.#advised.get(keyText(event.run.owner)) : undefined;
      if (advised && event.type === 'run') this.#realSeen(advised, event.run);
      else this.#send(event);
    });
  }

  /** From now on its Jobs are imagined; those that run are taken as what would run. */
  advise(owner: ObjectKey): void {
    const key = keyText(owner);
    if (this.#advised.has(key)) return;
    const advised: Advised = { owner, imagined: new Map(), real: new Map(), made: { actual: 0, advised: 0 } };
    const there = this.#realOf(key);
    for (const run of there) this.#send({ type: 'run', run: { ...run, phase: 'gone', pods: [] } });
    this.#advised.set(key, advised);
    for (const run of there) {
      const isOpen = !isOver(run);
      advised.real.set(run.id, { run, stands: isOpen ? run.id : null });
      if (isOpen) this.#tell(advised, { ...run });
    }
    this.#options.onChanged(owner);
  }

  /** What is decided of it may be something else by now. */
  decided(owner: ObjectKey): void {
    if (this.#advised.has(keyText(owner))) this.#options.onChanged(owner);
  }

  /** Its Jobs are made from now on; nothing that was imagined is left. */
  release(owner: ObjectKey): void {
    const key = keyText(owner);
    const advised = this.#advised.get(key);
    if (!advised) return;
    this.#advised.delete(key);
    for (const run of advised.imagined.values()) this.#send({ type: 'run', run: { ...run, phase: 'gone', pods: [] } });
    for (const run of this.#realOf(key)) this.#send({ type: 'run', run });
    this.#options.onChanged(owner);
  }

  /** Nothing is asked for any more: what no real Job stands for has found no work, down to a minimum. */
  idle(owner: ObjectKey, least: number): void {
    const advised = this.#advised.get(keyText(owner));
    if (!advised) return;
    const paired = new Set([...advised.real.values()].map(({ stands }) => stands));
    const open = [...advised.imagined.values()].filter((run) => !isOver(run));
    const alone = open.filter(({ id }) => !paired.has(id));
    for (const run of alone.slice(0, Math.max(0, open.length - least))) this.#end(advised, run.id, 'succeeded');
  }

  /** What runs on both sides; null: it is not advised on. */
  sidesOf(owner: ObjectKey): { actual: Side; advised: Side; made: JobsMade } | null {
    const advised = this.#advised.get(keyText(owner));
    if (!advised) return null;
    const real = [...advised.real.values()].map(({ run }) => run);
    return { actual: sideOf(real), advised: sideOf([...advised.imagined.values()]), made: { ...advised.made } };
  }

  async runTemplate(start: TemplateStart): Promise<void> {
    const { key } = start.document;
    const advised = this.#advised.get(keyText(key));
    if (!advised) return this.#options.real.runTemplate(start);
    if (advised.imagined.has(start.id)) return;
    advised.made.advised++;
    const free = [...advised.real.values()].find(({ run, stands }) => stands === null && !isOver(run));
    if (free) free.stands = start.id;
    this.#tell(advised, {
      ...{ id: start.id, owner: advised.owner, phase: 'running', pid: null, exitCode: null },
      ...{ message: '', failure: null, startedAtMs: this.#options.clock.nowMs(), endedAtMs: null, pods: [running] },
    });
  }

  async stop(id: string): Promise<void> {
    for (const advised of this.#advised.values()) {
      const run = advised.imagined.get(id);
      if (!run) continue;
      advised.imagined.delete(id);
      this.#send({ type: 'run', run: { ...run, phase: 'gone', pods: [] } });
      this.#options.onChanged(advised.owner);
      return;
    }
    await this.#options.real.stop(id);
  }

  list(): RunObservation[] {
    const imagined = [...this.#advised.values()].flatMap((one) => [...one.imagined.values()]);
    return [...this.#options.real.list().filter(({ owner }) => !this.#advised.has(keyText(owner))), ...imagined];
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unwatch();
    this.#listeners.clear();
    this.#advised.clear();
    this.#options.real.close();
  }

  #realOf(key: string): RunObservation[] {
    return this.#options.real.list().filter(({ owner }) => keyText(owner) === key);
  }

  #realSeen(advised: Advised, run: RunObservation): void {
    const known = advised.real.get(run.id);
    const stands = known ? known.stands : run.phase === 'gone' ? null : this.#newlyMade(advised);
    if (run.phase === 'gone') advised.real.delete(run.id);
    else advised.real.set(run.id, { run, stands });
    // Deleted in the middle: its work is in the source again, and what stood for it waits for another one.
    if (stands !== null && isOver(run)) this.#end(advised, stands, run.phase);
    this.#options.onChanged(advised.owner);
  }

  /** The oldest that is imagined and stands for no real one; null: Ebb would have made it later, or not at all. */
  #newlyMade(advised: Advised): string | null {
    advised.made.actual++;
    const paired = new Set([...advised.real.values()].map(({ stands }) => stands));
    return [...advised.imagined.values()].find((one) => !isOver(one) && !paired.has(one.id))?.id ?? null;
  }

  #end(advised: Advised, id: string, phase: RunObservation['phase']): void {
    const run = advised.imagined.get(id);
    if (!run || isOver(run)) return;
    const failure = phase === 'failed' ? 'exit' : null;
    this.#tell(advised, { ...run, phase, failure, endedAtMs: this.#options.clock.nowMs(), pods: [] });
  }

  #tell(advised: Advised, run: RunObservation): void {
    advised.imagined.set(run.id, run);
    this.#send({ type: 'run', run });
    this.#options.onChanged(advised.owner);
  }

  #send(event: DriverEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

function isOver({ phase }: RunObservation): boolean {
  return phase === 'succeeded' || phase === 'failed';
}

function sideOf(runs: readonly RunObservation[]): Side {
  const open = runs.filter((run) => !isOver(run));
  return { wanted: open.length, live: open.length, ready: open.filter(({ phase }) => phase === 'running').length };
}
