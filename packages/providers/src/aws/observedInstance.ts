import type { Instance } from '@aws-sdk/client-ec2';
import type { CapacityType, NodeNotice, NodeObservation, NodePhase } from '@ebb/core';
import { codeOfReason } from './errors.ts';
import { askedAtMs, capacityTypeOf, clusterTag, fromList, nodeTag, noticeTag, poolTag, type Tags } from './tags.ts';

/** What is known of a machine beside what AWS lists. */
export interface InstanceKnowledge {
  /** Since when replicas may be placed on it; null: not yet. */
  readyAtMs: number | null;
  /** Its status checks fail. */
  isImpaired: boolean;
  notice: NodeNotice | null;
  /** Ebb told it to end. */
  isTold: boolean;
}

/** One instance in the engine's words; a machine of a group that has no tag yet is its `owner`'s. */
export function observedInstance(
  instance: Instance,
  owner: { cluster: string; region: string },
  known: InstanceKnowledge,
): NodeObservation {
  const tags = fromList(instance.Tags);
  const notice = known.notice ?? taggedNotice(tags[noticeTag]);
  const phase = phaseOf(instance, known);
  const { failure, message } = endOf(instance, phase, known, notice);
  const zone = instance.Placement?.AvailabilityZone ?? '*';
  return {
    id: tags[nodeTag] ?? null,
    providerId: instance.InstanceId ?? null,
    cluster: tags[clusterTag] ?? owner.cluster,
    pool: tags[poolTag] ?? null,
    offering: {
      cloud: 'aws',
      region: owner.region,
      zone,
      instanceType: instance.InstanceType ?? '',
      capacityType: boughtAs(instance, tags),
    },
    phase,
    askedAtMs: askedAtMs(tags),
    readyAtMs: known.readyAtMs,
    notice,
    message,
    failure,
  };
}

function phaseOf({ State }: Instance, { isImpaired, readyAtMs }: InstanceKnowledge): NodePhase {
  switch (State?.Name) {
    case 'pending':
      return 'booting';
    case 'running':
      return readyAtMs !== null && !isImpaired ? 'ready' : 'running';
    case 'terminated':
      return 'gone';
    case 'shutting-down':
      return 'stopping';
    // It is there, its disks are paid for, and nothing runs on it.
    default:
      return 'running';
  }
}

function endOf(
  { State, StateReason }: Instance,
  phase: NodePhase,
  { isImpaired, isTold, readyAtMs }: InstanceKnowledge,
  notice: NodeNotice | null,
): { failure: string | null; message: string } {
  const reason = StateReason?.Message ?? '';
  if (phase === 'stopping' || phase === 'gone') {
    if (isTold) return { failure: null, message: '' };
    const code = StateReason?.Code ?? '';
    const isTaken = code.startsWith('Server.Spot') || notice?.kind === 'interruption';
    const failure = isTaken ? 'interrupted' : (codeOfReason(code) ?? 'terminated');
    return { failure, message: reason === '' ? 'ended outside of Ebb' : reason };
  }
  if (State?.Name === 'stopped' || State?.Name === 'stopping')
    return { failure: 'unreachable', message: `the instance is ${State.Name}: ${reason}` };
  if (phase === 'running' && isImpaired && readyAtMs !== null)
    return { failure: 'unreachable', message: 'its status checks fail' };
  return { failure: null, message: '' };
}

/** An on-demand instance that AWS put into an open reservation stays what it was bought as. */
function boughtAs({ CapacityReservationId, InstanceLifecycle }: Instance, tags: Tags): CapacityType {
  if (InstanceLifecycle === 'spot') return 'spot';
  return capacityTypeOf(tags) ?? (CapacityReservationId === undefined ? 'on-demand' : 'reserved');
}

/** `interruption` or `rebalance`, with when it goes as RFC 3339 or without: `interruption 2026-01-01T00:00:00Z`. */
function taggedNotice(text: string | undefined): NodeNotice | null {
  const [, kind, at] = /^(interruption|rebalance)(?:\s+(\S+))?$/.exec(text ?? '') ?? [];
  if (kind !== 'interruption' && kind !== 'rebalance') return null;
  const goesAtMs = at === undefined ? Number.NaN : Date.parse(at);
  return { kind, goesAtMs: Number.isFinite(goesAtMs) ? goesAtMs : null };
}
