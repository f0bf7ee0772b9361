import type { GpuHolding, GpuNeed, MachineGpus } from '@ebb/core';
import { StartRefusedError } from '../process/agent/resolveCommand.ts';
import { chooseDevices, type GpuRefusalReason } from './chooseDevices.ts';
import { gpuEnvironment } from './gpuEnvironment.ts';

export interface GpuPoolOptions {
  discover(): Promise<MachineGpus>;
  env: NodeJS.ProcessEnv;
  /** What is known of the machine has changed. */
  onMachine(machine: MachineGpus): void;
}

/** A refusal is checked against the machine once more when what is known of it is older. */
const freshMs = 5_000;

/** Who has which device of this machine. Nothing is given out twice, over restarts of the agent either (`claim`). */
export class GpuPool {
  readonly #options: GpuPoolOptions;
  readonly #holdings = new Map<string, GpuHolding>();
  /** Holders that have been asked to end: what they have is free soon. */
  readonly #leaving = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #machine: MachineGpus | null = null;
  #knownSinceMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<MachineGpus> | null = null;

  constructor(options: GpuPoolOptions) {
    this.#options = options;
  }

  /** Null before the first look is over. */
  get machine(): MachineGpus | null {
    return this.#machine;
  }

  /** Looks at the machine; who asks meanwhile gets the same look. */
  look(): Promise<MachineGpus> {
    this.#looking ??= this.#options.discover().then((machine) => {
      const before = JSON.stringify(this.#machine);
      this.#machine = machine;
      this.#knownSinceMs = performance.now();
      this.#looking = null;
      if (JSON.stringify(machine) !== before) this.#options.onMachine(machine);
      return machine;
    });
    return this.#looking;
  }

  /**
   * Gives devices to a holder until `release`. Waits while others that are about to end have what is needed. Throws
   * `StartRefusedError` with the reason when there is nothing to give, or an ordinary error when `signal` is aborted.
   */
  async take(id: string, need: GpuNeed, signal: AbortSignal): Promise<GpuHolding> {
    for (;;) {
      const machine = this.#machine ?? (await this.look());
      if (signal.aborted) throw new Error('asked to end');
      const found = this.#holdings.get(id) ?? this.#choose(machine, need);
      if (!('failure' in found)) {
        this.#holdings.set(id, found);
        return found;
      }
      if (found.failure === 'gpu-busy' && this.#leaving.size > 0) await this.#nextRelease(signal);
      else if (performance.now() - this.#knownSinceMs > freshMs) await this.look();
      else throw new StartRefusedError(found.failure, found.message);
    }
  }

  /** A holder of an earlier agent goes on with what it has. */
  claim(id: string, holding: GpuHolding): void {
    this.#holdings.set(id, holding);
  }

  /** The holder is about to end. */
  leaving(id: string): void {
    if (this.#holdings.has(id)) this.#leaving.add(id);
  }

  release(id: string): void {
    this.#leaving.delete(id);
    if (!this.#holdings.delete(id)) return;
    for (const go of this.#waiting) go();
  }

  #choose(machine: MachineGpus, need: GpuNeed): GpuHolding | GpuRefusalReason {
    const chosen = chooseDevices(machine, [...this.#holdings.values()], need);
    if ('failure' in chosen) return chosen;
    const { vendor, ...held } = chosen;
    return { ...held, env: gpuEnvironment(machine, vendor, held, this.#options.env) };
  }

  #nextRelease(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        this.#waiting.delete(go);
        signal.removeEventListener('abort', go);
        resolve();
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', go, { once: true });
    });
  }
}
