import { openStorage } from '../storage/openStorage.ts';
import { runProgram } from './program.ts';
import { takeOne } from './takeOne.ts';
import type { Work } from './work.ts';

/** How long after SIGTERM a picture may still be finished; then its message goes back into the queue. */
const finishWithinMs = 10_000;

/** Ends with 0 also where the message went back or the queue was empty: the broker has it, so nothing is to be repeated. */
export async function main(program: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { AMQP_URL: url, EBB_JOB: job = 'local' } = env;
  if (!url) throw new Error('AMQP_URL must be set, for example amqp://guest:guest@127.0.0.1:5672/');
  const stop = new AbortController();
  process.on('SIGTERM', () => {
    console.log(`told to end: finishing within ${finishWithinMs / 1000} s, else the message goes back`);
    setTimeout(() => stop.abort(new Error('told to end')), finishWithinMs).unref();
  });
  const work: Work = program.length > 0 ? runProgram(program) : upscaleWork;
  const outcome = await takeOne({ url, job, storage: openStorage(env), work, stop: stop.signal });
  console.log(outcome);
}

/** The model is loaded for a message only: a Job that finds none ends in a fraction of the time. */
const upscaleWork: Work = async (request) => {
  const { upscale } = await import('./upscale.ts');
  return upscale(request);
};
