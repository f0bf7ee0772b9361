import type { Reason } from '../explain/reasons.ts';
import { ContainerAggregate } from './aggregate.ts';
import { toAmount } from './amounts.ts';
import {
  type ContainerHistory,
  countReplicas,
  forgetReplicas,
  type Histories,
  lastSeenMs,
  maxNameLength,
} from './history.ts';
import { policyOf } from './policy.ts';
import {
  addCpuSample,
  addMemorySample,
  addOom,
  newReplicaUsage,
  type OomAmounts,
  type PeakRules,
  type ReplicaUsage,
} from './replicaUsage.ts';
import { because } from './sizingReasons.ts';
import type { SizingObservation, SizingSample, SizingSpec } from './types.ts';

/** Containers of one workload that have a history. */
export const maxContainers = 16;
/** Replicas that are followed, over all containers; of more, these stand for all. */
export const maxFollowedReplicas = 64;

/** A replica without a sample for this long gives its place to a new one. */
const silentMs = 600_000;
/** A sample from further in the future would make all others worthless. */
const maxAheadMs = 300_000;

/** Adds samples to the histories in the order they came. What cannot be used changes nothing and is counted. */
export function takeSamples(
  spec: SizingSpec,
  histories: Histories,
  { nowMs, samples }: SizingObservation,
  reasons: Reason[],
): void {
  const log = new SampleLog();
  for (const sample of samples) {
    const unusable = whyUnusable(sample, nowMs);
    const history = unusable ? null : historyOf(histories, sample.container, spec, nowMs);
    if (!history) {
      log.drop(histories.has(sample.container) ? sample.container : 'others', unusable ?? 'too many containers');
      continue;
    }
    const usage = follow(histories, history, sample.replica, nowMs, sample.type === 'oom');
    if (!usage) {
      log.drop(sample.container, `the ${maxFollowedReplicas} replicas that are followed stand for all`);
      continue;
    }
    const rules = peakRules(spec, sample.container);
    if (sample.type === 'oom') takeOom(history, usage, sample, rules, log);
    else takeUsage(history, usage, sample, rules, log);
  }
  reasons.push(...log.reasons());
}

/** The history of a container, begun now where there is none; null when there are too many already. */
export function historyOf(
  histories: Histories,
  container: string,
  { settings }: SizingSpec,
  nowMs: number,
): ContainerHistory | null {
  const known = histories.get(container);
  if (known || histories.size >= maxContainers) return known ?? null;
  const history = { aggregate: new ContainerAggregate(nowMs, settings), replicas: new Map() };
  histories.set(container, history);
  return history;
}

/** How long a container's history is kept after its last sample. */
export function historyLengthMs({ policies, settings }: SizingSpec, container: string): number {
  const policy = policyOf(policies, container);
  const windowMs = policy?.memoryWindowMs ?? settings.memoryWindowMs;
  return windowMs * (policy?.memoryWindowCount ?? settings.memoryWindowCount);
}

function peakRules({ policies, settings }: SizingSpec, container: string): PeakRules {
  const policy = policyOf(policies, container);
  return {
    memoryWindowMs: policy?.memoryWindowMs ?? settings.memoryWindowMs,
    oomBumpRatio: policy?.oomBumpRatio ?? settings.oomBumpRatio,
    oomMinBumpBytes: policy?.oomMinBumpBytes ?? settings.oomMinBumpBytes,
  };
}

function takeUsage(
  { aggregate }: ContainerHistory,
  usage: ReplicaUsage,
  { container, atMs, cpuMilli, memoryBytes }: SizingSample & { type: 'usage' },
  rules: PeakRules,
  log: SampleLog,
): void {
  if (cpuMilli !== undefined) {
    if (!isAmount(cpuMilli)) log.drop(container, 'not a usable number');
    else if (!addCpuSample(aggregate, usage, toAmount(cpuMilli), atMs)) log.drop(container, 'out of order');
  }
  if (memoryBytes !== undefined) {
    if (!isAmount(memoryBytes)) log.drop(container, 'not a usable number');
    else if (!addMemorySample(aggregate, usage, toAmount(memoryBytes), atMs, rules)) {
      log.drop(container, 'out of order');
    }
  }
}

function takeOom(
  { aggregate }: ContainerHistory,
  usage: ReplicaUsage,
  { container, replica, atMs, requestBytes }: SizingSample & { type: 'oom' },
  rules: PeakRules,
  log: SampleLog,
): void {
  const counted = addOom(aggregate, usage, isAmount(requestBytes) ? toAmount(requestBytes) : 0, atMs, rules);
  if (counted) log.oom(container, replica, counted);
  else log.drop(container, 'an OOM more than a memory window before the last sample');
}

function whyUnusable({ container, replica, atMs }: SizingSample, nowMs: number): string | null {
  if (container.length > maxNameLength || replica.length > maxNameLength) {
    return `a name is longer than ${maxNameLength} characters`;
  }
  if (!Number.isSafeInteger(atMs) || atMs < 0 || Object.is(atMs, -0)) return 'not a usable time';
  return atMs > nowMs + maxAheadMs ? 'from the future' : null;
}

const isAmount = (value: number): boolean => Number.isFinite(value) && value >= 0;

/** The state of a replica; null when there is no place for it. An OOM is worth a place. */
function follow(
  histories: Histories,
  { replicas }: ContainerHistory,
  id: string,
  nowMs: number,
  always: boolean,
): ReplicaUsage | null {
  const known = replicas.get(id);
  if (known) return known;
  if (countReplicas(histories) >= maxFollowedReplicas && !leaveSilent(histories, nowMs)) {
    if (!always) return null;
    forgetReplicas(histories, 1, nowMs);
  }
  const usage = newReplicaUsage();
  replicas.set(id, usage);
  return usage;
}

/** Ends following one replica that seems to be gone; its peaks stay, as those of an ended pod do. */
function leaveSilent(histories: Histories, nowMs: number): boolean {
  for (const { replicas } of histories.values()) {
    for (const [id, usage] of replicas) {
      if (nowMs - lastSeenMs(usage) >= silentMs) return replicas.delete(id);
    }
  }
  return false;
}

/** Counts what is told of samples, so that a flood of them gives a few reasons: one a container and cause. */
class SampleLog {
  readonly #dropped = new Map<string, { container: string; why: string; count: number }>();
  readonly #ooms = new Map<string, { container: string; count: number; replica: string } & OomAmounts>();

  drop(container: string, why: string): void {
    const key = `${container}\n${why}`;
    const entry = this.#dropped.get(key) ?? { container, why, count: 0 };
    entry.count++;
    this.#dropped.set(key, entry);
  }

  /** The one that needs most is named. */
  oom(container: string, replica: string, amounts: OomAmounts): void {
    const last = this.#ooms.get(container);
    const count = (last?.count ?? 0) + 1;
    if (last && last.neededBytes > amounts.neededBytes) last.count = count;
    else this.#ooms.set(container, { container, count, replica, ...amounts });
  }

  reasons(): Reason[] {
    return [
      ...[...this.#dropped.values()].map((entry) => because('sizing-samples-dropped', { ...entry })),
      ...[...this.#ooms.values()].map((entry) => because('sizing-oom', { ...entry })),
    ];
  }
}
