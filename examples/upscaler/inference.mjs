// @ts-check
// The thread that holds the model. A run blocks its thread, and the worker has to answer probes meanwhile.
import { parentPort } from 'node:worker_threads';
import { BadImage, decode, encodePng } from './images.mjs';
import { loadModel, scale } from './model.mjs';

/** @typedef {import('./images.mjs').ImageType} ImageType */
/** @typedef {{ id: number, bytes: Uint8Array, type: ImageType }} Job */
/** @typedef {{ id: number, cancel: true }} Cancel */
/**
 * @typedef {{ id: number, png: Uint8Array, width: number, height: number, inferenceMs: number, tensors: number }
 *   | { id: number, badImage: string }
 *   | { id: number, cancelled: true }
 *   | { id: number, failed: string }} Outcome
 */

if (!parentPort) throw new Error('this file is a thread of worker.mjs');
const port = parentPort;

const model = await loadModel();

/** @type {Map<number, AbortController>} */
const jobs = new Map();
let turn = Promise.resolve();

port.on('message', (/** @type {Job | Cancel} */ message) => {
  if ('cancel' in message) {
    jobs.get(message.id)?.abort();
    return;
  }
  const controller = new AbortController();
  jobs.set(message.id, controller);
  // One after another: two at once would only take turns on this thread, and hold twice the memory.
  turn = workAfter(turn, message, controller.signal);
});
port.postMessage('loaded', []);

/** @param {Promise<void>} before @param {Job} job @param {AbortSignal} signal */
async function workAfter(before, job, signal) {
  await before;
  const outcome = await work(job, signal);
  jobs.delete(job.id);
  port.postMessage(outcome, []);
}

/** @param {Job} job @param {AbortSignal} signal @returns {Promise<Outcome>} */
async function work({ id, bytes, type }, signal) {
  try {
    signal.throwIfAborted();
    const picture = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), type);
    const before = performance.now();
    const rgb = await model.upscale(picture.rgb, picture.width, picture.height, signal);
    const inferenceMs = performance.now() - before;
    const size = { width: picture.width * scale, height: picture.height * scale };
    return { id, png: encodePng({ ...size, rgb }), ...size, inferenceMs, tensors: model.tensorCount() };
  } catch (error) {
    if (signal.aborted) return { id, cancelled: true };
    if (error instanceof BadImage) return { id, badImage: error.message };
    return { id, failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
