import {
  type Cause,
  type Decision,
  type DecisionSpec,
  decisionSpecOf,
  type GatewayWorkload,
  type Grant,
  type Memory,
  type PodUsage,
  type Reading,
  type Scaler,
  type StoredDocument,
} from '@ebb/core';
import {
  type ColdStart,
  type Condition,
  keyText,
  type LearnedColdStart,
  type ObjectKey,
  templateHash,
  type WorkloadClass,
  type WorkloadSpec,
} from '@ebb/documents';
import type { SizedClass } from './appliedSizing.ts';
import type { LeftOutClass } from './usableClasses.ts';
import type { ActivationState } from './activation.ts';
import { ClassHintMeter } from './classHint.ts';
import { DemandMeter } from './demand.ts';
import { isHeldOnTo, type Replica } from './replicaSet.ts';
import type { MetricsFollower } from './replicaMetrics/metricsFollower.ts';
import type { KnownScaledObject } from './scaledObjects.ts';
import type { TriggerReadings } from './triggerReadings.ts';

/** Everything the engine has in mind about one workload. */
export interface WorkloadState {
  readonly key: string;
  readonly objectKey: ObjectKey;
  stored: StoredDocument;
  /** Its document with everything in core units; under a ScaledObject, with that one's bounds. */
  spec: WorkloadSpec;
  decisionSpec: DecisionSpec;
  /** Current template revision of each class. */
  revisions: ReadonlyMap<string, string>;
  /** Its document is deleted; it goes when its last replica is gone. */
  removed: boolean;
  /** The gateway was told to forget it. */
  removedAtGateway: boolean;
  observedGeneration: number;

  memory: Memory | null;
  lastActiveAtMs: number | null;
  /** When it was last observed, and how many requests waited then. */
  observedAtMs: number;
  observedHeld: number;
  /** Counts that came meanwhile are looked at then; null: nothing new. */
  readingDueMs: number | null;
  demand: DemandMeter;
  /** The ScaledObject that drives it; null: its own document does. */
  scaledBy: KnownScaledObject | null;
  /** Readings of that ScaledObject's triggers. */
  triggers: TriggerReadings | null;
  /** What a metrics API says of its pods; null: its replicas are measured by the driver, or not at all. */
  podUsage: PodUsage | null;
  /** Reads what its replicas publish of themselves; null: its policy does not ask for it. */
  metrics: MetricsFollower | null;
  /** Readings are taken by the next observation. `round` tells what an answer belongs to. */
  schedules: { scaler: Scaler | null; readings: Reading[]; cancel: (() => void) | null; round: number };

  decision: Decision | null;
  /** The decision that people are told: the latest that was more than a look between two syncs, and since when it holds. */
  told: { decision: Decision; atMs: number; sequence: number } | null;
  decidedAtMs: number;
  decisionSequence: number;
  grant: Grant | null;
  /** Workload that depends on this one and is wanted, so that one replica is kept. */
  neededBy: string | null;

  readonly replicas: Map<string, Replica>;
  readonly activation: Map<string, ActivationState>;
  /** First request held since the class last had a ready replica, microseconds. */
  readonly wokenAtUs: Map<string, number>;
  unavailable: GatewayWorkload['unavailable'];
  /** What the gateway was told last, as text. */
  configured: string;

  conditions: Condition[];
  /** Classes of the document that the machine can never run. */
  leftOut: LeftOutClass[];
  /** `learned` by class. */
  coldStarts: { count: number; last: ColdStart | null; learned: Record<string, LearnedColdStart> };
  classHint: ClassHintMeter;
  /** What was settled for each class when its present revision came. */
  sized: Readonly<Record<string, SizedClass>>;
  /** Resources of each class by the document, which those of `spec` may differ from. */
  documentAmounts: ReadonlyMap<string, WorkloadClass['resources']>;
}

export function newWorkloadState(stored: StoredDocument, spec: WorkloadSpec): WorkloadState {
  return {
    key: keyText(spec.key),
    objectKey: spec.key,
    stored,
    ...derivedFrom(spec),
    removed: false,
    removedAtGateway: false,
    observedGeneration: 0,
    memory: null,
    lastActiveAtMs: null,
    observedAtMs: 0,
    observedHeld: 0,
    readingDueMs: null,
    demand: new DemandMeter(),
    scaledBy: null,
    triggers: null,
    podUsage: null,
    metrics: null,
    schedules: { scaler: null, readings: [], cancel: null, round: 0 },
    decision: null,
    told: null,
    decidedAtMs: 0,
    decisionSequence: 0,
    grant: null,
    neededBy: null,
    replicas: new Map(),
    activation: new Map(),
    wokenAtUs: new Map(),
    unavailable: null,
    configured: '',
    conditions: [],
    leftOut: [],
    coldStarts: { count: 0, last: null, learned: {} },
    classHint: new ClassHintMeter(),
    sized: {},
    documentAmounts: new Map(),
  };
}

/** What follows from a document's spec alone. */
export function derivedFrom(spec: WorkloadSpec): Pick<WorkloadState, 'spec' | 'decisionSpec' | 'revisions'> {
  return { spec, decisionSpec: decisionSpecOf(spec), revisions: revisionsOf(spec) };
}

/**
 * With the value `target`, replicas of older templates are the affair of the scale target's own controller, such as that of
 * a Deployment: every replica then has the revision `targetRevision`, and no change of the document replaces one.
 */
export const rolloutsAnnotation = 'ebb.dev/rollouts';
export const targetRevision = 'target';

/** Template revision of each class. */
export function revisionsOf({ classes, probes, annotations }: WorkloadSpec): ReadonlyMap<string, string> {
  const isOfTarget = annotations[rolloutsAnnotation] === targetRevision;
  return new Map(classes.map((one) => [one.name, isOfTarget ? targetRevision : templateHash(one, probes)]));
}

export function hasReadyReplica(state: WorkloadState): boolean {
  return [...state.replicas.values()].some((replica) => replica.phase === 'ready');
}

/** Whether something serves its requests or is about to. */
export function isServedOrStarting(state: WorkloadState): boolean {
  return [...state.replicas.values()].some(isHeldOnTo);
}

/** Causes in a fixed order, so that the same turn gives the same observation. */
export const causeOrder: readonly Cause[] = [
  'document',
  'restart',
  'request-held',
  'reading',
  'replica',
  'schedule',
  'revisit',
  'grant',
];
