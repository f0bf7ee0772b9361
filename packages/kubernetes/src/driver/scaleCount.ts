import type { Clock } from '@ebb/core';
import { isStatus, type Scale } from '../client/client.ts';
import { isOlderVersion } from '../client/objects.ts';

/** Others have changed the count. */
export interface ExternalChange {
  readonly from: number;
  readonly to: number;
  readonly atMs: number;
  /** It was put right once already and is left as it is until something else is decided. */
  readonly contested: boolean;
}

interface ScaleAccess {
  readScale(): Promise<Scale>;
  writeScale(replicas: number, resourceVersion: string): Promise<Scale>;
}

/** A count that others change again within this time after it was put right is not fought over. */
const contestMs = 600_000;
const conflictsAllowed = 8;

/** The count of one scale target, as it stands on the server: read, written over its version, and watched. */
export class ScaleCount {
  readonly #clock: Clock;
  readonly #access: ScaleAccess;
  #replicas: number | null = null;
  #version = '';
  /** What we have written last; null: nothing. */
  #written: number | null = null;
  /** What is being written, or what may have been written by a request that got no answer. */
  #inDoubt: number | null = null;
  #external: ExternalChange | null = null;
  #correctedAtMs: number | null = null;

  constructor(clock: Clock, access: ScaleAccess) {
    this.#clock = clock;
    this.#access = access;
  }

  get replicas(): number | null {
    return this.#replicas;
  }

  get external(): ExternalChange | null {
    return this.#external;
  }

  /** What the watch says. Whether the count is another one than was known, by others' hand or for the first time. */
  observe(replicas: number, resourceVersion: string): boolean {
    if (this.#replicas !== null) {
      if (resourceVersion === this.#version || isOlderVersion(resourceVersion, this.#version)) return false;
    }
    return this.#take(replicas, resourceVersion);
  }

  /** Reads the count where it is not known. */
  async known(): Promise<void> {
    if (this.#replicas === null || this.#version === '') await this.#read();
  }

  /**
   * Throws where the count differs from what was written by others' hand, has been put right once, and nothing else is
   * wanted now than then.
   */
  mayChange(wanted: number): void {
    const { atMs, from, to } = this.#external ?? {};
    if (this.#external === null || wanted === this.#replicas || wanted !== this.#written) return;
    const isFought = this.#correctedAtMs !== null && this.#clock.nowMs() - this.#correctedAtMs < contestMs;
    if (!isFought || atMs === undefined) return;
    this.#external = { ...this.#external, contested: true };
    throw new Error(
      `others have set it from ${from} to ${to} again after it was put right; it stays so until something else than ${wanted} is decided`,
    );
  }

  /** Writes what is wanted, which is asked anew after each conflict. */
  async write(wanted: () => number): Promise<void> {
    for (let tries = 0; ; tries++) {
      const count = wanted();
      if (count === this.#replicas) {
        this.#written = count;
        return;
      }
      try {
        this.#inDoubt = count;
        const scale = await this.#access.writeScale(count, this.#version);
        const isCorrection = this.#external !== null && count === this.#written;
        this.#correctedAtMs = isCorrection ? this.#clock.nowMs() : null;
        if (!isCorrection) this.#external = null;
        this.#replicas = count;
        if (!isOlderVersion(scale.resourceVersion, this.#version)) this.#version = scale.resourceVersion;
        this.#written = count;
        this.#inDoubt = null;
        return;
      } catch (error) {
        if (isStatus(error, 409)) this.#inDoubt = null;
        // Asked anew before the next write: it may have been taken.
        if (!isStatus(error, 409)) this.#version = '';
        if (!isStatus(error, 409) || tries >= conflictsAllowed) throw error;
        await this.#read();
      }
    }
  }

  async #read(): Promise<void> {
    const { replicas, resourceVersion } = await this.#access.readScale();
    if (isOlderVersion(resourceVersion, this.#version)) return;
    this.#take(replicas, resourceVersion);
  }

  #take(replicas: number, resourceVersion: string): boolean {
    const before = this.#replicas;
    this.#version = resourceVersion;
    this.#replicas = replicas;
    if (before === replicas) return false;
    // Our own write, seen before its answer came.
    if (replicas === this.#inDoubt) {
      this.#inDoubt = null;
      this.#written = replicas;
      return false;
    }
    if (before !== null && this.#written !== null && replicas !== this.#written) {
      this.#external = { from: before, to: replicas, atMs: this.#clock.nowMs(), contested: false };
    } else this.#external = null;
    return true;
  }
}
