import { reasonSentence } from '@ebb/core';
import { type Condition, keyText } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import { isHeard } from './gatewayLink.ts';
import { isoTime } from './isoTime.ts';
import { moneyOf } from './moneyNotices.ts';
import { isHeldOnTo } from './replicaSet.ts';
import { hasReadyReplica, type WorkloadState } from './workloadState.ts';

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

/** The workload's conditions now; the time of a transition is kept while the status stays the same. */
export function conditionsOf(context: EngineContext, state: WorkloadState): Condition[] {
  const verdicts: Record<string, Verdict> = {
    Available: available(context, state),
    Progressing: progressing(state),
    ScalingActive: scalingActive(context, state),
    ScalingLimited: scalingLimited(state),
  };
  const idle = idleCost(context, state);
  if (idle) verdicts.IdleCost = idle;
  const budget = errorBudget(state);
  if (budget) verdicts.ErrorBudget = budget;
  const [leftOut] = state.leftOut;
  if (leftOut) verdicts.ClassesUsable = no('ClassLeftOut', `class ${leftOut.class} is left out: ${leftOut.message}`);
  if (state.spec.dependsOn.length > 0) verdicts.DependenciesReady = dependenciesReady(context, state);
  const now = isoTime(context.ports.clock.nowMs());
  state.conditions = Object.entries(verdicts).map(([type, verdict]) => {
    const before = state.conditions.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : now;
    return { type, ...verdict, lastTransitionTime };
  });
  return state.conditions;
}

function available(context: EngineContext, state: WorkloadState): Verdict {
  if (hasReadyReplica(state)) return yes('ReplicasReady', 'a replica is ready');
  if (!context.adopted) return unknown('AgentUnknown', 'the agent has not said yet what runs');
  const { unavailable } = state;
  if (unavailable) return no(reasonName(unavailable.code), unavailable.message);
  if ([...state.replicas.values()].some(isHeldOnTo)) return no('Starting', 'the first replica is starting');
  if (!context.driverConnected) return unknown('AgentDisconnected', 'the agent is away; nothing can be started');
  if ((state.grant?.replicas ?? 0) > 0) return no('NotStarted', 'replicas are wanted and none is there yet');
  return yes('ScaledToZero', 'at zero; the first request starts a replica');
}

function progressing(state: WorkloadState): Verdict {
  const outdated = [...state.replicas.values()].filter(
    (replica) => isHeldOnTo(replica) && replica.revision !== state.revisions.get(replica.class),
  ).length;
  const overdue = [...state.replicas.values()].filter((replica) => isHeldOnTo(replica) && replica.isOverdue).length;
  if (outdated === 0 && overdue > 0) {
    return yes('ReplacingUnready', `${overdue} replicas are unready for too long and are being replaced`);
  }
  if (outdated === 0) return no('UpToDate', 'every replica runs the current template');
  const failure = [...state.activation.values()].find((one) => one.failures > 0);
  if (failure) return no('UpdateStuck', `replicas of the new template do not start: ${failure.message}`);
  return yes('Updating', `${outdated} replicas of earlier templates are still to be replaced`);
}

function scalingActive(context: EngineContext, state: WorkloadState): Verdict {
  if (state.spec.scaling.paused) return no('Paused', 'scaling is paused by the document');
  if (state.scaledBy) return triggersActive(state);
  const nowMs = context.ports.clock.nowMs();
  const links = [...context.gateways.values()];
  if (links.length > 0 && links.every((link) => isHeard(link, nowMs))) {
    return yes('CountsKnown', 'the gateway reports its counts');
  }
  return no('GatewaySilent', 'the gateway reports no counts; replicas are held as they are');
}

function triggersActive({ scaledBy, triggers }: WorkloadState): Verdict {
  const statuses = triggers?.status() ?? [];
  const unread = statuses.filter(({ type, state }) => state === 'unread' && type !== 'cpu' && type !== 'memory');
  const failing = statuses.find(({ state }) => state === 'error' || state === 'missing');
  if (failing) {
    const message = `trigger ${failing.name} (${failing.type}): ${failing.message}; replicas are held as they are`;
    return no(failing.state === 'missing' ? 'Unsupported' : 'TriggerFailing', message);
  }
  if (unread.length > 0) return unknown('NotRead', `trigger ${unread[0]?.name} has not been read yet`);
  return yes('TriggersRead', `ScaledObject ${scaledBy?.spec.key.name}: every trigger is read`);
}

function scalingLimited(state: WorkloadState): Verdict {
  const granted = state.grant?.replicas ?? 0;
  const decided = state.decision?.replicas ?? 0;
  if (granted < decided) return yes('GrantedLess', `${decided} replicas decided, ${granted} granted`);
  const capped = state.decision?.reasons.some((reason) => reason.code === 'capped-at-max') ?? false;
  if (capped) return yes('TooManyReplicas', `more than maxReplicas (${state.spec.scaling.maxReplicas}) are wanted`);
  return no('WithinBounds', 'nothing limits the number of replicas');
}

/** Null where nobody asked to be told of cost without requests. */
function idleCost({ money }: EngineContext, { key }: WorkloadState): Verdict | null {
  const found = money.idleCost(key);
  if (found === undefined) return null;
  if (found === null) return no('WithinLimit', 'it has not cost more than the limit without a request');
  const cost = moneyOf(found.costMicro, found.currency);
  return yes('PaidWithoutRequests', `${cost} without a request since ${isoTime(found.sinceMs)}; is it still needed?`);
}

/** Null where the policy has no objective. */
function errorBudget({ told }: WorkloadState): Verdict | null {
  const reason = told?.decision.reasons.find(({ code }) => code === 'slo-budget');
  if (!reason) return null;
  const message = reasonSentence(reason);
  if (reason.data.verdict === 'spent') return no('Spent', message);
  return reason.data.verdict === 'burning' ? no('BurningFast', message) : yes('Left', message);
}

function dependenciesReady(context: EngineContext, state: WorkloadState): Verdict {
  for (const key of state.spec.dependsOn) {
    const dependency = context.workloads.get(keyText(key));
    const name = `${key.namespace}/${key.name}`;
    if (!dependency || dependency.removed) return no('UnknownDependency', `it depends on ${name}, which is not there`);
    if (!hasReadyReplica(dependency)) return no('DependencyNotReady', `${name} has no ready replica`);
  }
  return yes('AllReady', 'every workload it depends on has a ready replica');
}

/** `command-not-found` → `CommandNotFound`. */
function reasonName(code: string): string {
  return code
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

const verdict =
  (status: Condition['status']) =>
  (reason: string, message: string): Verdict => ({ status, reason, message });
const yes = verdict('True');
const no = verdict('False');
const unknown = verdict('Unknown');
