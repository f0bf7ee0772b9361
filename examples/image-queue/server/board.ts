import type { JobStatus, ScaledJobStatus } from '@ebb/documents';
import { Gallery, type Picture } from './gallery.ts';

/** Everything the page shows, as one JSON value. */
export interface BoardState {
  at: number;
  queue: { length: number | null; problem: string };
  jobs: {
    /** Null while Ebb is not there. */
    running: number | null;
    max: number;
    summary: string;
    problem: string;
    list: Pick<JobStatus, 'id' | 'phase' | 'createdAt' | 'startedAt'>[];
  };
  storage: string;
  takesPrompt: boolean;
  pictures: Picture[];
}

const togetherMs = 40;
const lengthEveryMs = 250;

/** Keeps the state, and tells those who listen of every change, changes of one moment together. */
export class Board {
  readonly gallery = new Gallery(() => this.#changed());
  readonly #listeners = new Set<() => void>();
  readonly #settings: { storage: string; takesPrompt: boolean };
  readonly #length: () => Promise<number | null>;
  #timer: NodeJS.Timeout | undefined;
  #lengthTimer: NodeJS.Timeout;
  #queue: BoardState['queue'] = { length: null, problem: '' };
  #status: ScaledJobStatus | null = null;

  constructor(settings: { storage: string; takesPrompt: boolean }, length: () => Promise<number | null>) {
    this.#settings = settings;
    this.#length = length;
    this.#lengthTimer = setInterval(() => void this.#readLength(), lengthEveryMs);
  }

  /** Hears of every change until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  brokerProblem(problem: string): void {
    this.#queue = { ...this.#queue, problem };
    this.#changed();
  }

  jobs(status: ScaledJobStatus | null): void {
    this.#status = status;
    this.#changed();
  }

  state(): BoardState {
    return {
      at: Date.now(),
      queue: this.#queue,
      jobs: jobsOf(this.#status),
      ...this.#settings,
      pictures: this.gallery.list(),
    };
  }

  close(): void {
    clearInterval(this.#lengthTimer);
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  async #readLength(): Promise<void> {
    const isQuiet = this.gallery.unfinished === 0 && this.#queue.length === 0;
    // Nobody looks, or nothing can have changed: the broker is left alone.
    if (this.#listeners.size === 0 || isQuiet) return;
    const length = await this.#length();
    if (length === this.#queue.length) return;
    this.#queue = { ...this.#queue, length };
    this.#changed();
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const listener of this.#listeners) listener();
    }, togetherMs);
  }
}

function jobsOf(status: ScaledJobStatus | null): BoardState['jobs'] {
  if (!status) return { running: null, max: 0, summary: '', problem: 'Ebb is not there; looking for it', list: [] };
  const { jobs, maxReplicas: max, summary, jobList, conditions } = status;
  const notReady = conditions.find(({ type, status: value }) => type === 'Ready' && value !== 'True');
  return {
    running: jobs.running + jobs.waiting,
    max,
    summary,
    problem: notReady?.message ?? '',
    list: jobList
      .filter(({ phase }) => phase === 'running' || phase === 'waiting')
      .map(({ id, phase, createdAt, startedAt }) => ({ id, phase, createdAt, startedAt })),
  };
}
