import {
  type Memory,
  type Reason,
  recommend,
  type ReplicaUsageSample,
  type SizingResult,
  type SizingSample,
} from '@ebb/core';
import type { WorkloadSpec } from '@ebb/documents';
import { sizedStatus } from './appliedSizing.ts';
import { type EngineContext, isStaleEpoch } from './context.ts';
import { messageOf } from './replicaActions.ts';
import { recommendationOf, sizingSpec } from './sizingRecommendation.ts';
import { UsageTracks } from './sizingSamples.ts';
import type { WorkloadRecommendation } from './types.ts';
import type { WorkloadState } from './workloadState.ts';

/** What is known of a workload's use: core's memory of it (at most 16 KB) and the samples it has not seen yet. */
interface Sized {
  memory: Memory | null;
  pending: SizingSample[];
  /** Latest OOM of each class, to be told with a recommendation: the memory has only what it did to the peaks. */
  ooms: Map<string, { atMs: number; reason: Reason }>;
}

interface SavedSizing {
  version: 1;
  memory: Memory;
  ooms: { atMs: number; reason: Reason }[];
}

const prefix = 'sizing/';
const saveEveryMs = 300_000;
/** More samples than this are not kept waiting for the next save. */
const maxPending = 256;
const oomToldForMs = 8 * 86_400_000;

/** Learns what replicas use, over restarts too, and recommends from it. Costs a crash at most five minutes of samples. */
export class Sizing {
  readonly #context: EngineContext;
  readonly #tracks = new UsageTracks();
  readonly #sized = new Map<string, Sized>();
  readonly #unsaved = new Set<string>();
  #cancelSave: (() => void) | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  async load(key: string): Promise<void> {
    const saved = asSaved(await this.#context.ports.store.state.load(prefix + key));
    if (!saved) return;
    const ooms = new Map(saved.ooms.map((oom) => [String(oom.reason.data['container']), oom]));
    this.#sized.set(key, { memory: saved.memory, pending: [], ooms });
  }

  /** Takes measurements in. Those of replicas that belong to no workload are nobody's. */
  take(samples: readonly ReplicaUsageSample[]): void {
    for (const sample of samples) {
      const state = this.#context.owners.get(sample.id);
      const replica = state?.replicas.get(sample.id);
      if (!state || !replica || state.removed) continue;
      const taken = this.#tracks.samplesOf(replica, sample);
      if (taken.length === 0) continue;
      const sized = this.#sizedOf(state.key);
      sized.pending.push(...taken);
      if (sized.pending.length >= maxPending) this.#learn(state, sized);
      this.#unsaved.add(state.key);
      this.#schedule();
    }
  }

  /** What each class should ask for by now, and why, beside what the spec says, else the document. */
  recommendation(state: WorkloadState, own?: WorkloadSpec): WorkloadRecommendation {
    const sized = this.#sizedOf(state.key);
    const { reasons, recommendation } = this.#learn(state, sized, own);
    const told = [...sized.ooms.values()].map(({ reason }) => reason);
    const others = reasons.filter(({ code }) => code !== 'sizing-oom');
    const atMs = this.#context.ports.clock.nowMs();
    const found = recommendationOf(own ?? byDocument(state), recommendation, [...told, ...others], atMs);
    const applied = sizedStatus(state);
    if (own || !applied) return found;
    return { ...found, classes: found.classes.map((one) => ({ ...one, applied: applied[one.class] ?? null })) };
  }

  async forget(key: string): Promise<void> {
    this.#sized.delete(key);
    this.#unsaved.delete(key);
    await this.#saving;
    await this.#context.ports.store.state.drop(prefix + key);
  }

  async flush(): Promise<void> {
    this.abandon();
    await this.#saving;
    await this.#save();
  }

  abandon(): void {
    this.#cancelSave?.();
    this.#cancelSave = null;
  }

  #sizedOf(key: string): Sized {
    let sized = this.#sized.get(key);
    if (!sized) {
      sized = { memory: null, pending: [], ooms: new Map() };
      this.#sized.set(key, sized);
    }
    return sized;
  }

  #learn(state: WorkloadState, sized: Sized, own: WorkloadSpec = state.spec): SizingResult {
    const nowMs = this.#context.ports.clock.nowMs();
    const samples = sized.pending.splice(0);
    const result = recommend(sizingSpec(own), sized.memory, { nowMs, samples });
    sized.memory = result.memory;
    for (const reason of result.reasons) {
      if (reason.code === 'sizing-oom') sized.ooms.set(String(reason.data['container']), { atMs: nowMs, reason });
    }
    for (const [name, { atMs }] of sized.ooms) if (nowMs - atMs > oomToldForMs) sized.ooms.delete(name);
    return result;
  }

  #schedule(): void {
    if (this.#cancelSave || this.#context.stopped) return;
    const { clock } = this.#context.ports;
    this.#cancelSave = clock.at(clock.nowMs() + saveEveryMs, () => {
      this.#cancelSave = null;
      this.#saving = this.#save();
    });
  }

  async #save(): Promise<void> {
    const { ports, options, workloads } = this.#context;
    const keys = [...this.#unsaved];
    this.#unsaved.clear();
    for (const key of keys) {
      const state = workloads.get(key);
      const sized = this.#sized.get(key);
      if (!state || state.removed || !sized) continue;
      const { memory } = this.#learn(state, sized);
      const saved: SavedSizing = { version: 1, memory, ooms: [...sized.ooms.values()] };
      try {
        await ports.store.state.save(prefix + key, saved, options.epoch);
      } catch (error) {
        if (isStaleEpoch(error)) return this.#context.deposed();
        ports.log('warn', 'measured use not saved', { key, error: messageOf(error) });
        this.#unsaved.add(key);
        this.#schedule();
      }
    }
  }
}

function byDocument({ spec, documentAmounts }: WorkloadState): WorkloadSpec {
  const classes = spec.classes.map((one) => ({ ...one, resources: documentAmounts.get(one.name) ?? one.resources }));
  return { ...spec, classes };
}

function asSaved(value: unknown): SavedSizing | null {
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1) return null;
  // Written by this very module; core leaves out what it does not know of the memory.
  return value as SavedSizing;
}
