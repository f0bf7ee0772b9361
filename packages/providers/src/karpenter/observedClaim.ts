import type { CapacityType, NodeObservation, NodePhase, OfferingChoice } from '@ebb/core';
import { listAt, textAt, timeAt } from '../cloud/json.ts';
import { askedNote, clusterMark, nodeMark, offeringNote, poolMark } from './claim.ts';
import type { ApiObject } from './nodeClaims.ts';

/** What is known of a claim besides its object. */
export interface ClaimKnowledge {
  cluster: string;
  region: string | null;
  /** Ebb has told it to end. */
  isEnded: boolean;
  /** When it was first seen as ready, on Ebb's clock. */
  readyAtMs: number | null;
  /** When it was asked for, on Ebb's clock; null: its annotation says. */
  askedAtMs: number | null;
  /** It is not there any more. */
  isGone: boolean;
}

/** Null: it has not the mark of the cluster. */
export function observedClaim(claim: ApiObject, known: ClaimKnowledge): NodeObservation | null {
  if (label(claim, clusterMark) !== known.cluster) return null;
  const providerId = textAt(claim, 'status', 'providerID');
  const offering = offeringOf(claim, known.region);
  const isLeaving = textAt(claim, 'metadata', 'deletionTimestamp') !== null;
  const phase = phaseOf(claim, { isLeaving, isGone: known.isGone });
  const isTaken = (isLeaving || known.isGone) && !known.isEnded;
  return {
    id: label(claim, nodeMark),
    providerId,
    cluster: known.cluster,
    pool: note(claim, poolMark),
    offering,
    phase,
    askedAtMs: known.askedAtMs ?? timeAt(claim, 'metadata', 'annotations', askedNote),
    readyAtMs: isInitialized(claim) ? known.readyAtMs : null,
    // Karpenter hears of interruptions itself, and deletes the claim then.
    notice: isTaken && providerId !== null && offering.capacityType === 'spot' ? interruption : null,
    message: messageOf(claim, { isLeaving, isTaken, isGone: known.isGone }),
    failure: known.isGone ? failureOf({ isTaken, providerId, offering }) : null,
  };
}

const interruption = { kind: 'interruption', goesAtMs: null } as const;

/** Karpenter deletes a claim whose machine cannot be had: one that went without a machine was such a one. */
function failureOf({
  isTaken,
  providerId,
  offering,
}: Pick<NodeObservation, 'providerId' | 'offering'> & { isTaken: boolean }) {
  if (!isTaken) return null;
  if (providerId === null) return 'stock-out';
  return offering.capacityType === 'spot' ? 'interrupted' : 'terminated';
}

function phaseOf(claim: ApiObject, { isLeaving, isGone }: { isLeaving: boolean; isGone: boolean }): NodePhase {
  if (isGone) return 'gone';
  if (isLeaving) return 'stopping';
  const is = (type: string) => condition(claim, type)?.status === 'True';
  if (isInitialized(claim)) return 'ready';
  if (is('Registered')) return 'running';
  return is('Launched') ? 'booting' : 'requested';
}

function messageOf(
  claim: ApiObject,
  { isLeaving, isTaken, isGone }: Record<'isLeaving' | 'isTaken' | 'isGone', boolean>,
): string {
  if (isGone) return isTaken ? 'its NodeClaim was deleted by somebody else' : 'its NodeClaim is gone';
  if (isLeaving) return isTaken ? 'its NodeClaim is being deleted by somebody else' : 'Karpenter ends it';
  for (const type of ['Launched', 'Registered', 'Initialized']) {
    const found = condition(claim, type);
    if (found?.status === 'True') continue;
    const why = [found?.reason, found?.message].filter(Boolean).join(': ');
    return `waits to be ${type.toLowerCase()}${why === '' ? '' : ` (${why})`}`;
  }
  return '';
}

/** Its node has joined, and has everything. */
export function isInitialized(claim: ApiObject): boolean {
  return condition(claim, 'Initialized')?.status === 'True';
}

interface Condition {
  status: string | null;
  reason: string | null;
  message: string | null;
}

function condition(claim: ApiObject, type: string): Condition | null {
  const found = listAt(claim, 'status', 'conditions').find((one) => textAt(one, 'type') === type);
  if (found === undefined) return null;
  return { status: textAt(found, 'status'), reason: textAt(found, 'reason'), message: textAt(found, 'message') };
}

/** What was asked for, with the zone that the cloud chose. */
function offeringOf(claim: ApiObject, region: string | null): OfferingChoice {
  const written = note(claim, offeringNote) ?? '';
  const [cloud = '', askedRegion = '', askedZone = '', askedType = '', askedCapacity = ''] = written.split('/');
  return {
    cloud,
    region: askedRegion || (label(claim, 'topology.kubernetes.io/region') ?? region ?? ''),
    zone: label(claim, 'topology.kubernetes.io/zone') ?? (askedZone || '*'),
    instanceType: label(claim, 'node.kubernetes.io/instance-type') ?? askedType,
    capacityType: capacityTypeOf(label(claim, 'karpenter.sh/capacity-type') ?? askedCapacity),
  };
}

function capacityTypeOf(text: string): CapacityType {
  return text === 'spot' || text === 'reserved' ? text : 'on-demand';
}

const label = (claim: ApiObject, key: string) => textAt(claim, 'metadata', 'labels', key);
const note = (claim: ApiObject, key: string) => textAt(claim, 'metadata', 'annotations', key);

export function nameOf(claim: ApiObject): string {
  return textAt(claim, 'metadata', 'name') ?? '';
}
