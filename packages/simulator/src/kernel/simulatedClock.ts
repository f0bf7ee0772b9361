import type { Clock } from '@ebb/core';
import type { Kernel } from './kernel.ts';

/** 2026-01-01T00:00:00Z: the wall time at which a rehearsal begins that is not told another one. */
export const rehearsalEpochMs = 1_767_225_600_000;

/** The engine's clock on the kernel's time. */
export class SimulatedClock implements Clock {
  readonly #kernel: Kernel;
  readonly #epochMs: number;
  readonly #kind: number;
  readonly #callbacks: ((() => void) | null)[] = [];
  readonly #lives: number[] = [];
  readonly #free: number[] = [];

  /** `epochMs`: wall time of the beginning. */
  constructor(kernel: Kernel, epochMs: number = rehearsalEpochMs) {
    this.#kernel = kernel;
    this.#epochMs = epochMs;
    this.#kind = kernel.kind((slot, life) => this.#ring(slot, life));
  }

  nowMs(): number {
    return this.#epochMs + Math.floor(this.#kernel.nowUs / 1000);
  }

  nowUs(): number {
    return this.#kernel.nowUs;
  }

  at(atMs: number, callback: () => void): () => void {
    const slot = this.#free.pop() ?? this.#callbacks.length;
    const life = this.#lives[slot] ?? 0;
    this.#callbacks[slot] = callback;
    this.#lives[slot] = life;
    this.#kernel.put(Math.ceil(atMs - this.#epochMs) * 1000, this.#kind, slot, life);
    return () => {
      if (this.#lives[slot] === life) this.#release(slot);
    };
  }

  #ring(slot: number, life: number): void {
    if (this.#lives[slot] !== life) return;
    const callback = this.#callbacks[slot];
    this.#release(slot);
    this.#kernel.touch();
    callback?.();
  }

  #release(slot: number): void {
    this.#callbacks[slot] = null;
    this.#lives[slot] = ((this.#lives[slot] ?? 0) + 1) | 0;
    this.#free.push(slot);
  }
}
