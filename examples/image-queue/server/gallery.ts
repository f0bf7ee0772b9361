import type { Task } from '../queue/task.ts';
import type { Step, TaskEvent } from '../queue/taskEvent.ts';

/** One picture from its submission to its result, as the page shows it. Times are wall milliseconds. */
export interface Picture {
  task: Task;
  /** Of the original, where there is one. */
  size: { width: number; height: number } | null;
  state: 'queued' | 'processing' | 'done' | 'failed';
  step: Step | null;
  job: string | null;
  pid: number | null;
  /** Which delivery of its message is the latest; 0: none yet. */
  delivery: number;
  processStartedAt: number | null;
  takenAt: number | null;
  doneAt: number | null;
  result: { width: number; height: number; workMs: number } | null;
  /** Why it failed or went back. */
  message: string;
}

/** Pictures that are shown; of more, the oldest finished ones are forgotten (their files stay). */
export const mostPictures = 200;

/** What is known of the pictures, newest first. */
export class Gallery {
  readonly #pictures = new Map<string, Picture>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  list(): Picture[] {
    return [...this.#pictures.values()].reverse();
  }

  find(id: string): Picture | undefined {
    return this.#pictures.get(id);
  }

  /** Pictures that wait for their result. */
  get unfinished(): number {
    return this.list().filter(({ state }) => state === 'queued' || state === 'processing').length;
  }

  submitted(task: Task, size: Picture['size']): void {
    this.#pictures.set(task.id, pictureOf(task, size));
    for (const [id, { state }] of this.#pictures) {
      if (this.#pictures.size <= mostPictures) break;
      if (state === 'done' || state === 'failed') this.#pictures.delete(id);
    }
    this.#changed();
  }

  /** The message could not be published: there is no such picture. */
  withdrawn(id: string): void {
    if (this.#pictures.delete(id)) this.#changed();
  }

  /** News of a Job. One of a picture that is not known was submitted before this page began. */
  happened(event: TaskEvent): void {
    const { task, job, pid, delivery, at } = event;
    if (!this.#pictures.has(task.id)) this.submitted(task, null);
    const picture = this.#pictures.get(task.id);
    // Of two Jobs with one message, the later delivery counts; a result stays.
    if (!picture || picture.state === 'done' || delivery < picture.delivery) return;
    Object.assign(picture, { job, pid, delivery });
    switch (event.state) {
      case 'processing':
        if (event.step === 'starting') Object.assign(picture, { takenAt: at, message: '' });
        Object.assign(picture, { state: 'processing', step: event.step, processStartedAt: event.processStartedAt });
        break;
      case 'done': {
        const { width, height, workMs } = event;
        Object.assign(picture, {
          state: 'done',
          step: null,
          doneAt: at,
          message: '',
          result: { width, height, workMs },
        });
        break;
      }
      case 'returned':
        Object.assign(picture, { state: 'queued', step: null, message: event.message });
        break;
      case 'failed':
        Object.assign(picture, { state: 'failed', step: null, doneAt: at, message: event.message });
    }
    this.#changed();
  }

  /** The broker has taken the message out of the queue. */
  failed(task: Task, reason: string, nowMs: number): void {
    if (!this.#pictures.has(task.id)) this.submitted(task, null);
    const picture = this.#pictures.get(task.id);
    if (!picture || picture.state === 'done') return;
    const message = picture.message === '' ? reason : `${picture.message} (${reason})`;
    if (picture.state !== 'failed') Object.assign(picture, { state: 'failed', step: null, doneAt: nowMs, message });
    this.#changed();
  }
}

function pictureOf(task: Task, size: Picture['size']): Picture {
  return {
    task,
    size,
    state: 'queued',
    step: null,
    job: null,
    pid: null,
    delivery: 0,
    processStartedAt: null,
    takenAt: null,
    doneAt: null,
    result: null,
    message: '',
  };
}
