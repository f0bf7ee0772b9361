import type { Memory, StateStore, StoredDocument } from '@ebb/core';
import { type ColdStart, keyText, type LearnedColdStart } from '@ebb/documents';
import { type EngineContext, isStaleEpoch } from './context.ts';
import type { SizedClass } from './appliedSizing.ts';
import { ClassHintMeter } from './classHint.ts';
import { DemandMeter, type SavedDemand } from './demand.ts';
import type { WorkloadState } from './workloadState.ts';

interface SavedWorkload {
  version: 1;
  memory: Memory | null;
  lastActiveAtMs: number | null;
  /** `learned` is not yet in what older versions saved. */
  coldStarts: { count: number; last: ColdStart | null; learned?: Record<string, LearnedColdStart> };
  /** Counted by gateway processes that have ended; what a running one has counted it says again. */
  requests: SavedDemand;
  /** Of `ClassHintMeter`; not yet in what older versions saved. */
  classHint?: unknown;
  /** Not yet in what older versions saved. */
  sized?: Record<string, SizedClass>;
}

const prefix = 'engine/workload/';
const leavingPrefix = 'engine/leaving/';
const allocationName = 'engine/allocation';
const aliveName = 'engine/alive';
const saveEveryMs = 5000;
const aliveEveryMs = 10_000;
const longestRetryMs = 20_000;
/** So many are given to the store at once, which may write them together. */
const savedTogether = 100;

/**
 * Keeps what decisions remember over restarts. Saved in the background, each workload every five seconds at most: a crash
 * loses that much memory, and no replica. Also notes when the engine was last alive, so that ledger rows of replicas that
 * ended while it was away can be closed.
 */
export class SavedState {
  readonly #context: EngineContext;
  readonly #store: StateStore;
  readonly #unsaved = new Set<string>();
  #timer: { atMs: number; cancel: () => void } | null = null;
  #saving: Promise<void> | null = null;
  #savedAliveMs = 0;
  #delayMs = saveEveryMs;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#store = context.ports.store.state;
  }

  /** When an engine on this store was last known to be alive; null: never. */
  async lastAliveMs(): Promise<number | null> {
    const saved = await this.#store.load(aliveName);
    return typeof saved === 'number' ? saved : null;
  }

  async loadAllocation(): Promise<Memory | null> {
    const saved = await this.#store.load(allocationName);
    return isMemory(saved) ? saved : null;
  }

  async loadInto(state: WorkloadState): Promise<void> {
    const saved = asSaved(await this.#store.load(prefix + state.key));
    if (!saved) return;
    state.memory = saved.memory;
    // Written by another machine's clock, perhaps.
    const nowMs = this.#context.ports.clock.nowMs();
    state.lastActiveAtMs = saved.lastActiveAtMs === null ? null : Math.min(saved.lastActiveAtMs, nowMs);
    state.coldStarts = { ...saved.coldStarts, learned: saved.coldStarts.learned ?? {} };
    state.demand = new DemandMeter(saved.requests);
    state.classHint = new ClassHintMeter(saved.classHint);
    state.sized = saved.sized ?? {};
  }

  /**
   * Noted before a document is deleted: should the control plane end before the replicas have, the next one lets them
   * finish their requests instead of taking them for orphans.
   */
  async noteLeaving(stored: StoredDocument): Promise<void> {
    await this.#store.save(leavingPrefix + keyText(stored.key), stored, this.#context.options.epoch);
  }

  /** Deleted workloads whose replicas had not ended. */
  async leaving(): Promise<StoredDocument[]> {
    const found: StoredDocument[] = [];
    for (const name of await this.#store.names(leavingPrefix)) {
      const stored = await this.#store.load(name);
      // Written by `noteLeaving` alone.
      if (stored !== null) found.push(stored as StoredDocument);
    }
    return found;
  }

  async hasLeft(key: string): Promise<void> {
    await this.#store.drop(leavingPrefix + key);
  }

  changed(state: WorkloadState): void {
    this.#unsaved.add(state.key);
    this.#schedule();
  }

  async forget(key: string): Promise<void> {
    this.#unsaved.delete(key);
    await this.#saving;
    await this.#store.drop(prefix + key);
  }

  /** Notes that the engine lives, from now on at intervals. */
  beat(): void {
    this.#schedule();
  }

  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#saving;
    this.#savedAliveMs = 0;
    await this.#save();
  }

  abandon(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#unsaved.clear();
  }

  #schedule(): void {
    if (this.#context.stopped || this.#saving) return;
    const { clock } = this.#context.ports;
    const dueMs = clock.nowMs() + (this.#unsaved.size > 0 ? this.#delayMs : aliveEveryMs);
    if (this.#timer && this.#timer.atMs <= dueMs) return;
    this.#timer?.cancel();
    const cancel = clock.at(dueMs, () => {
      this.#timer = null;
      this.#saving = this.#save().finally(() => {
        this.#saving = null;
        this.#schedule();
      });
    });
    this.#timer = { atMs: dueMs, cancel };
  }

  async #save(): Promise<void> {
    const { clock, log } = this.#context.ports;
    const { epoch } = this.#context.options;
    const keys = [...this.#unsaved];
    this.#unsaved.clear();
    try {
      const nowMs = clock.nowMs();
      if (nowMs - this.#savedAliveMs >= aliveEveryMs) {
        await this.#store.save(aliveName, nowMs, epoch);
        this.#savedAliveMs = nowMs;
      }
      for (let from = 0; from < keys.length; from += savedTogether) {
        const states = keys.slice(from, from + savedTogether).flatMap((key) => this.#context.workloads.get(key) ?? []);
        const saved = states.filter((state) => !state.removed);
        await Promise.all(saved.map((state) => this.#store.save(prefix + state.key, toSaved(state), epoch)));
      }
      if (keys.length > 0 && this.#context.allocationMemory) {
        await this.#store.save(allocationName, this.#context.allocationMemory, epoch);
      }
      this.#delayMs = saveEveryMs;
    } catch (error) {
      for (const key of keys) this.#unsaved.add(key);
      this.#delayMs = Math.min(longestRetryMs, this.#delayMs * 2);
      if (isStaleEpoch(error)) this.#context.deposed();
      else log('warn', 'memories not saved', { error: String(error) });
    }
  }
}

function toSaved(state: WorkloadState): SavedWorkload {
  return {
    version: 1,
    memory: state.memory,
    lastActiveAtMs: state.lastActiveAtMs,
    coldStarts: state.coldStarts,
    requests: state.demand.toSaved(),
    classHint: state.classHint.toSaved(),
    sized: state.sized,
  };
}

function asSaved(value: unknown): SavedWorkload | null {
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1) return null;
  // Written by this very module; the version says so.
  return value as SavedWorkload;
}

function isMemory(value: unknown): value is Memory {
  return typeof value === 'object' && value !== null && 'version' in value && 'policy' in value;
}
