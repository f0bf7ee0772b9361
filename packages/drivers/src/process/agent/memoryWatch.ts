import { hasProcessTable, proportionalBytes, readProcesses } from './processTable.ts';

const everyMs = 1000;

/** Whoever has it is not asked to end politely: it would go on growing meanwhile. */
export const outOfMemoryFailure = 'out-of-memory';

export function outOfMemoryMessage(usedBytes: number, limitBytes: number): string {
  return `out of memory: used ${mebibytes(usedBytes)} of its limit of ${mebibytes(limitBytes)}`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

interface Watched {
  group: number;
  limitBytes: number;
  onExceeded: (usedBytes: number) => void;
}

/**
 * Ends nothing itself: tells when the processes of a group together hold more memory than their limit. It looks once
 * a second, so that a sudden allocation can pass it; a hard limit needs a cgroup. Linux only.
 */
export class MemoryWatch {
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | null = null;

  /** Returns the way to call it off; it is called off by itself after it has told. */
  watch(group: number, limitBytes: number, onExceeded: (usedBytes: number) => void): () => void {
    const watched: Watched = { group, limitBytes, onExceeded };
    this.#watched.add(watched);
    if (hasProcessTable) this.#timer ??= setInterval(() => this.#look(), everyMs);
    return () => this.#forget(watched);
  }

  #forget(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const entries = readProcesses();
    for (const watched of this.#watched) {
      const members = entries.filter((entry) => entry.group === watched.group && !entry.ended);
      const residentBytes = members.reduce((sum, entry) => sum + entry.residentBytes, 0);
      if (residentBytes <= watched.limitBytes) continue;
      // Forked workers share pages: only what is theirs by proportion counts, which is dearer to read.
      const usedBytes = members.reduce((sum, entry) => sum + (proportionalBytes(entry.pid) ?? entry.residentBytes), 0);
      if (usedBytes <= watched.limitBytes) continue;
      this.#forget(watched);
      watched.onExceeded(usedBytes);
    }
  }
}
