// Entry of a worker thread: one task at a time, as plain data.
import { parentPort } from 'node:worker_threads';
import { type Trace, TraceError } from '../contract/trace.ts';
import { boundOf, openTrace, raceOf, runOf } from './runTask.ts';
import type { Answer, Task, TaskFailure } from './task.ts';

const port = parentPort;
if (!port) throw new Error('this module is the entry of a worker thread');
const answer = (message: Answer) => port.postMessage(message);

/** The one before is often the one now, and reading a large file takes a while. */
let last: { key: string; trace: Promise<Trace> } | null = null;

port.on('message', (task: Task) => {
  perform(task).then(
    (result) => answer({ type: 'done', result }),
    (error: unknown) => answer({ type: 'failed', failure: failureOf(error) }),
  );
});

async function perform(task: Task) {
  const trace = await traceOf(task);
  if (task.kind === 'bound') return boundOf(trace, task);
  const onProgress = (share: number) => answer({ type: 'progress', share });
  return task.kind === 'race' ? raceOf(trace, task, onProgress) : runOf(trace, task, onProgress);
}

function traceOf({ trace }: Task): Promise<Trace> {
  if ('packed' in trace) return openTrace(trace);
  const key = JSON.stringify(trace);
  if (last?.key !== key) last = { key, trace: openTrace(trace) };
  return last.trace;
}

function failureOf(error: unknown): TaskFailure {
  if (error instanceof TraceError) {
    const { file, line, message } = error;
    const start = line > 0 ? `${file}:${line}: ` : `${file}: `;
    return { message: message.startsWith(start) ? message.slice(start.length) : message, trace: { file, line } };
  }
  return { message: error instanceof Error ? error.message : String(error), trace: null };
}
