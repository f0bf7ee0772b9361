import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotBeDone, type Work } from './work.ts';

/** The exit status by which a program says that another try would end the same (EX_DATAERR). */
const cannotBeDone = 65;

/**
 * A program of yours in the place of the model. It is given INPUT (a file with the picture; unset where there is none),
 * OUTPUT (the file to write a PNG to), PROMPT, and the message as JSON on stdin. It ends with 0 when OUTPUT is written,
 * with 65 when the message can never be done; anything else gives the message back.
 */
export function runProgram([program = '', ...args]: string[]): Work {
  return async ({ task, input, stop, onStarted }) => {
    const folder = await mkdtemp(join(tmpdir(), 'image-queue-'));
    try {
      const inputFile = join(folder, 'input');
      const outputFile = join(folder, 'output.png');
      if (input) await writeFile(inputFile, input);
      stop.throwIfAborted();
      onStarted();
      const beganAtMs = performance.now();
      const env = { ...process.env, ...(input ? { INPUT: inputFile } : {}), OUTPUT: outputFile, PROMPT: task.prompt };
      const child = spawn(program, args, { env, stdio: ['pipe', 'inherit', 'inherit'], signal: stop });
      // A program need not read what it is told.
      child.stdin.on('error', () => {});
      child.stdin.end(JSON.stringify(task));
      const code = await new Promise<number | string>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (exitCode, signal) => resolve(exitCode ?? signal ?? 'nothing'));
      });
      if (code === cannotBeDone) throw new CannotBeDone(`${program} says that it cannot be done (exit status ${code})`);
      if (code !== 0) throw new Error(`${program} ended with ${code}`);
      const png = await readFile(outputFile).catch(() => {
        throw new Error(`${program} ended with 0 and wrote no ${outputFile}`);
      });
      return { png, ...sizeOf(png, program), workMs: performance.now() - beganAtMs };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** Of a PNG, from its first chunk. */
function sizeOf(png: Buffer, program: string): { width: number; height: number } {
  if (png.length < 24 || png.toString('latin1', 12, 16) !== 'IHDR') throw new Error(`what ${program} wrote is no PNG`);
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}
