import { execFile } from 'node:child_process';
import { SourceError } from '../contract/errors.ts';
import type { ScalerContext } from '../contract/source.ts';
import type { GpuSample, GpuSource } from './gpuSample.ts';

const fields = ['index', 'uuid', 'utilization.gpu', 'memory.used', 'memory.total'];
/** Whoever asks within this time gets the same answer: a run costs tens of milliseconds of processor time. */
const sharedMs = 250;
const runTimeoutMs = 10_000;
const maxOutputBytes = 1024 * 1024;
/** All that it needs of Ebb's environment, which holds secrets. */
const handedOn = ['PATH', 'LD_LIBRARY_PATH', 'NVIDIA_VISIBLE_DEVICES'];

/** The GPUs of this machine, by NVIDIA's own program. Triggers share its runs. */
export function openNvidiaSmi(context: Pick<ScalerContext, 'connections' | 'nowMs'>, program: string): GpuSource {
  const lease = context.connections.lease(
    `nvidia-smi ${program}`,
    () => new Runs(program, context.nowMs),
    (runs) => runs.close(),
  );
  return {
    place: program,
    read: (signal) => lease.connection.latest(signal),
    close: () => lease.release(),
  };
}

class Runs {
  readonly #program: string;
  readonly #nowMs: () => number;
  readonly #end = new AbortController();
  #latest: { startedMs: number; isOver: boolean; samples: Promise<readonly GpuSample[]> } | null = null;

  constructor(program: string, nowMs: () => number) {
    this.#program = program;
    this.#nowMs = nowMs;
  }

  latest(signal: AbortSignal): Promise<readonly GpuSample[]> {
    const startedMs = this.#nowMs();
    if (!this.#latest || (this.#latest.isOver && startedMs - this.#latest.startedMs >= sharedMs)) {
      const run = { startedMs, isOver: false, samples: askNvidiaSmi(this.#program, this.#end.signal) };
      this.#latest = run;
      run.samples.then(
        () => (run.isOver = true),
        () => (run.isOver = true),
      );
    }
    const { samples } = this.#latest;
    const timeUp = Promise.withResolvers<never>();
    const giveUp = () => timeUp.reject(new SourceError('timeout', `${this.#program}: no answer within the time`));
    signal.addEventListener('abort', giveUp, { once: true });
    return Promise.race([samples, timeUp.promise]).finally(() => signal.removeEventListener('abort', giveUp));
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#latest?.samples.catch(() => {});
  }
}

function askNvidiaSmi(program: string, signal: AbortSignal): Promise<readonly GpuSample[]> {
  const args = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
  return new Promise((resolve, reject) => {
    const env = Object.fromEntries(handedOn.map((name) => [name, process.env[name]]));
    const options = { env, signal, timeout: runTimeoutMs, killSignal: 'SIGKILL' as const, maxBuffer: maxOutputBytes };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error) return reject(failure(program, error, `${stdout}\n${stderr}`));
      try {
        resolve(parseNvidiaSmi(stdout, program));
      } catch (fault) {
        reject(fault as SourceError);
      }
    });
  });
}

function failure(program: string, error: Error & { code?: unknown; killed?: boolean }, output: string): SourceError {
  const { code } = error;
  if (code === 'ENOENT') {
    return new SourceError(
      'not-found',
      `${program} is not there: no NVIDIA driver is installed, or EBB_NVIDIA_SMI must name the program`,
    );
  }
  if (code === 'EACCES') return new SourceError('unauthorized', `${program} may not be run`);
  if (error.killed || code === 'ABORT_ERR')
    return new SourceError('timeout', `${program} did not end within ${runTimeoutMs} ms`);
  // It says what is wrong on its standard output, and never anything secret.
  const said = output.trim().replace(/\s+/g, ' ').slice(0, 200) || error.message;
  if (/no devices were found/i.test(said)) return new SourceError('not-found', `${program} finds no GPU`);
  return new SourceError('unreachable', `${program} failed: ${said}`);
}

/** A line for each GPU: `0, GPU-8d3c…, 87, 30720, 81559`. What a GPU does not tell stands in brackets: `[N/A]`. */
export function parseNvidiaSmi(output: string, program = 'nvidia-smi'): GpuSample[] {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const cells = line.split(',').map((cell) => cell.trim());
    const [index, uuid, ...rest] = cells;
    if (cells.length !== fields.length || !index || !uuid || !/^\d+$/.test(index)) {
      throw new SourceError(
        'bad-answer',
        `${program}: expected ${fields.join(', ')}, found "${line.trim().slice(0, 120)}"`,
      );
    }
    const [utilization = null, memoryUsedMiB = null, memoryTotalMiB = null] = rest.map((cell) =>
      amount(cell, line, program),
    );
    return { names: [index, uuid], utilization, memoryUsedMiB, memoryTotalMiB };
  });
}

function amount(cell: string, line: string, program: string): number | null {
  if (/^\[.*\]$/.test(cell) || cell === 'N/A') return null;
  const value = /^\d+(\.\d+)?$/.test(cell) ? Number(cell) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new SourceError('bad-answer', `${program}: "${cell}" is no number in "${line.trim().slice(0, 120)}"`);
}
