import {
  type ClassHintMemory,
  type ClassHintSpec,
  classHintSpecOf,
  type ClassSeen,
  type FlowObservation,
  hintOf,
  learnClasses,
  whyNoHint,
} from '@ebb/core';
import type { ClassHintStatus, WorkloadSpec } from '@ebb/documents';

const everyMs = 60_000;

/**
 * Learns from the flow of a workload with several classes which of them would serve it cheapest, once a minute, and tells
 * it. Nothing is decided by it.
 */
export class ClassHintMeter {
  #memory: ClassHintMemory | null;
  #spanMs = 0;
  #seen: Record<string, ClassSeen> = {};
  #told: { spec: WorkloadSpec; status: ClassHintStatus } | null = null;
  #own: { spec: WorkloadSpec; hintSpec: ClassHintSpec | null } | null = null;

  constructor(saved: unknown = null) {
    this.#memory = isMemory(saved) ? saved : null;
  }

  /** For the next control plane. */
  toSaved(): ClassHintMemory | null {
    return this.#memory;
  }

  /** Takes what was counted since the last call; absent while nobody can count. */
  note(spec: WorkloadSpec, flow: Record<string, FlowObservation> | undefined, nowMs: number): void {
    const hintSpec = this.#specOf(spec);
    if (!hintSpec || !flow) return;
    this.#spanMs += Object.values(flow).reduce((longest, { spanMs }) => Math.max(longest, spanMs), 0);
    for (const [name, one] of Object.entries(flow)) this.#seen[name] = together(this.#seen[name], one);
    if (this.#spanMs < everyMs) return;
    this.#memory = learnClasses(hintSpec, this.#memory, { nowMs, spanMs: this.#spanMs, classes: this.#seen });
    this.#spanMs = 0;
    this.#seen = {};
    this.#told = null;
  }

  /** Null where there is nothing to compare. */
  status(spec: WorkloadSpec): ClassHintStatus | null {
    const hintSpec = this.#specOf(spec);
    if (!hintSpec) return null;
    if (this.#told?.spec !== spec) this.#told = { spec, status: statusOf(hintSpec, this.#memory) };
    return this.#told.status;
  }

  #specOf(spec: WorkloadSpec): ClassHintSpec | null {
    if (this.#own?.spec !== spec) this.#own = { spec, hintSpec: classHintSpecOf(spec) };
    return this.#own.hintSpec;
  }
}

function statusOf(spec: ClassHintSpec, memory: ClassHintMemory | null): ClassHintStatus {
  const hint = hintOf(spec, memory);
  if (hint) return hint;
  return {
    class: null,
    because: whyNoHint(spec, memory) ?? '',
    costPerHourMicro: {},
    lateShare: {},
    measuredLateShare: 0,
    breakEvenRatePerHour: null,
    confidence: 0,
  };
}

function together(
  known: ClassSeen | undefined,
  { arrivals, answered, serviceMs, late, coldStartMs }: ClassSeen,
): ClassSeen {
  return {
    arrivals: arrivals + (known?.arrivals ?? 0),
    answered: answered + (known?.answered ?? 0),
    serviceMs: serviceMs + (known?.serviceMs ?? 0),
    late: late + (known?.late ?? 0),
    coldStartMs,
  };
}

function isMemory(value: unknown): value is ClassHintMemory {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === 1;
}
