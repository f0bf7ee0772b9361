import type { Task } from '../queue/task.ts';

export interface WorkRequest {
  task: Task;
  /** The picture's bytes; null where the message names none. */
  input: Buffer | null;
  /** Fires when the work is to be given up. */
  stop: AbortSignal;
  /** Called when loading is over and the picture is being made. */
  onStarted(): void;
}

export interface WorkResult {
  png: Buffer;
  width: number;
  height: number;
  /** Time in the model. */
  workMs: number;
}

/** Makes a picture. Throws `CannotBeDone` where another try would end the same. */
export type Work = (request: WorkRequest) => Promise<WorkResult>;

export class CannotBeDone extends Error {}
