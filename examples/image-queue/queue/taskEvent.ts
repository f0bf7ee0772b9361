import type { Task } from './task.ts';

/** What a Job is at. */
export type Step = 'starting' | 'working' | 'storing';

/** What a Job tells on the exchange `tasks.events` about its message. */
export type TaskEvent = {
  task: Task;
  /** Id of the Job, as in Ebb's lists; `local` outside of Ebb. */
  job: string;
  pid: number;
  /** Which delivery of the message this is; 1 is the first. */
  delivery: number;
  /** Wall milliseconds. */
  at: number;
} & (
  | { state: 'processing'; step: Step; processStartedAt: number }
  | { state: 'done'; width: number; height: number; workMs: number }
  | { state: 'returned' | 'failed'; message: string }
);

/** An event of the exchange; null for what is none. Jobs of another version may send others. */
export function parseTaskEvent(bytes: Uint8Array): TaskEvent | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isTaskEvent(value) ? value : null;
  } catch {
    return null;
  }
}

function isTaskEvent(value: unknown): value is TaskEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { task, job, state, at }: Partial<Record<string, unknown>> = { ...value };
  const isKnown = state === 'processing' || state === 'done' || state === 'returned' || state === 'failed';
  return (
    isKnown &&
    typeof job === 'string' &&
    typeof at === 'number' &&
    typeof task === 'object' &&
    task !== null &&
    'id' in task
  );
}
