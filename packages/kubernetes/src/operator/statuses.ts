import type { Condition, ScaledObjectSpec, ScaledObjectStatus, WorkloadStatus } from '@ebb/documents';
import type { ScaleFacts } from '../driver/kubernetesDriver.ts';
import type { ExternalChange } from '../driver/scaleCount.ts';
import { splitApiVersion } from '../client/resources.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { type JsonObject, textAt, timeText, trueCondition } from '../client/values.ts';
import { pausedReason } from './wanted.ts';

export interface ScaledObjectFacts {
  readonly spec: ScaledObjectSpec | null;
  /** Why nothing is done for it; null: it is followed. */
  readonly problem: { reason: string; message: string } | null;
  readonly status: ScaledObjectStatus | null;
  readonly plural: string | null;
  readonly originalReplicas: number | null;
  /** When a trigger was last active, by what its status says so far. */
  readonly lastActiveAtMs: number | null;
  /** Null: its target is not managed here. */
  readonly scale: ScaleFacts | null;
  /** Of what is done beside scaling. */
  readonly more?: Condition | null;
}

/** A ScaledObject's status in the fields of KEDA's own definition, which refuses others. */
export function kedaStatus(facts: ScaledObjectFacts): JsonObject | null {
  const { spec, problem, status, plural, originalReplicas } = facts;
  const conditions = problem
    ? problem.reason === pausedReason
      ? [
          {
            type: 'Ready',
            status: 'True',
            reason: 'ScaledObjectReady',
            message: 'it is followed once it is not paused',
          },
          { type: 'Active', status: 'Unknown', ...problem },
          { type: 'Paused', status: 'True', ...problem },
        ]
      : [
          { type: 'Ready', status: 'False', ...problem },
          { type: 'Active', status: 'Unknown', reason: problem.reason, message: 'nothing is done for it' },
        ]
    : status &&
      [...status.conditions, ...scaleConditions(facts.scale), ...(facts.more ? [facts.more] : [])].map(withoutTime);
  if (!conditions) return null;
  // While one is active it is now, and not worth a write.
  const said = problem ? null : status?.lastActiveAt;
  const lastActiveAtMs = said ? Date.parse(said) : facts.lastActiveAtMs;
  const isActive = conditions.some(({ type, status: said }) => type === 'Active' && said === 'True');
  const { group, version } = splitApiVersion(spec?.target.apiVersion ?? '');
  return {
    conditions,
    ...(spec
      ? {
          scaleTargetKind: `${spec.target.apiVersion}.${spec.target.kind}`,
          ...(plural === null ? {} : { scaleTargetGVKR: { group, version, kind: spec.target.kind, resource: plural } }),
          ...(spec.pause.replicas === null ? {} : { pausedReplicaCount: spec.pause.replicas }),
        }
      : {}),
    ...(originalReplicas === null ? {} : { originalReplicaCount: originalReplicas }),
    ...(lastActiveAtMs === null || isActive ? {} : { lastActiveTime: timeText(lastActiveAtMs) }),
  };
}

/** When a trigger of a ScaledObject was last active, as its status says: now, where one is. Null: it was never. */
export function lastActiveOf({ body }: Pick<KubernetesObject, 'body'>, nowMs: number): number | null {
  if (trueCondition(body, 'Active')) return nowMs;
  const atMs = Date.parse(textAt(body, 'status', 'lastActiveTime') ?? '');
  return Number.isNaN(atMs) ? null : Math.min(atMs, nowMs);
}

export function workloadStatusOf(
  status: WorkloadStatus,
  generation: number,
  scale: ScaleFacts | null,
  more: readonly Condition[] = [],
): JsonObject {
  return {
    observedGeneration: generation,
    replicas: { ...status.replicas },
    conditions: [...status.conditions, ...scaleConditions(scale), ...more],
  };
}

/** Of a Workload that is advised on: what would run is said in words, so that nobody takes it for what runs. */
export function adviceStatusOf(
  status: WorkloadStatus,
  generation: number,
  atMs: number,
  more: readonly Condition[] = [],
): JsonObject {
  const { replicas, decision } = status;
  const message = `${replicas.wanted} would run: ${decision?.summary ?? 'nothing was decided yet'}`;
  const lastTransitionTime = new Date(atMs).toISOString();
  const condition = { type: 'Advice', status: 'True', reason: 'NothingIsWritten', message };
  return { observedGeneration: generation, conditions: [{ ...condition, lastTransitionTime }, ...more] };
}

function withoutTime({ lastTransitionTime: _time, ...condition }: Condition): Omit<Condition, 'lastTransitionTime'> {
  return condition;
}

/** What the target says beside what the engine knows. */
function scaleConditions(scale: ScaleFacts | null): Condition[] {
  if (!scale) return [];
  const { external, refusal } = scale;
  const refused: Condition[] = [];
  if (refusal) {
    const { reason, message, since } = refusal;
    refused.push({ type: 'ReplicaFailure', status: 'True', reason, message, lastTransitionTime: since });
  }
  return [...externalScale(external), ...refused];
}

/** A change of the count by others is shown, put right once, and not fought over. */
function externalScale(external: ExternalChange | null): Condition[] {
  if (!external) return [];
  const { from, to, contested, atMs } = external;
  const reason = contested ? 'NotFought' : 'ChangedByOthers';
  const message = contested
    ? `others have set it from ${from} to ${to} again; it stays so until something else is decided`
    : `others have set it from ${from} to ${to}`;
  const lastTransitionTime = new Date(atMs).toISOString();
  return [{ type: 'ExternalScale', status: 'True', reason, message, lastTransitionTime }];
}
