import type { NodeObservation } from '../../ports/provider.ts';
import type { Offering } from '../types.ts';
import type { Draft } from './draft.ts';
import { isChoice } from './machines.ts';
import { endAgainMs } from './times.ts';
import type { FleetMemory, FleetNode, FleetPool, FleetSpec } from './types.ts';

type Orphan = FleetMemory['orphans'][number];

/** Machines that the book has not: taken back where they are known to be ours, else named and, if so set, ended. */
export function readUnknown(draft: Draft): void {
  const { machines } = draft.observation;
  if (machines === null) return;
  const before = new Map(draft.memory.orphans.map((one) => [one.providerId, one]));
  const orphans: Orphan[] = [];
  for (const machine of machines) {
    if (machine.id !== null && draft.book.has(machine.id)) continue;
    if (machine.phase === 'stopping' || machine.phase === 'gone') continue;
    if (adopt(draft, machine)) continue;
    // Without a name of the cloud there is no machine yet.
    if (machine.providerId === null) continue;
    const known = before.get(machine.providerId) ?? newOrphan(draft, machine, machine.providerId);
    orphans.push(watchOrphan(draft, known, isOfRemovedPool(draft, machine)));
  }
  draft.memory.orphans = orphans;
}

function newOrphan({ spec, nowMs }: Draft, { id, offering }: NodeObservation, providerId: string): Orphan {
  const sold = spec.pools.flatMap(({ consolidation: { pool } }) => pool.offerings);
  const price = sold.find((entry) => isChoice(entry.offering, offering))?.offering.pricePerHourMicro ?? null;
  return { providerId, id, sinceMs: nowMs, pricePerHourMicro: price, askAgainAtMs: null };
}

/** Certainly bought by an engine of this cluster, and of a pool that is no more: nothing wants it. */
function isOfRemovedPool({ spec, pools }: Draft, { id, pool }: NodeObservation): boolean {
  return pool !== null && !pools.has(pool) && isOurs(spec, id);
}

/** Ids of engines end with the leader's number and the node's; machines that were rented by hand have others. */
function isOurs({ knownIdPrefixes }: FleetSpec, id: string | null): boolean {
  return id !== null && /-\d+-\d+$/.test(id) && knownIdPrefixes.some((prefix) => id.startsWith(prefix));
}

function watchOrphan(draft: Draft, orphan: Orphan, isOfNoPool: boolean): Orphan {
  const { spec, nowMs, reasons, actions } = draft;
  const { providerId, id, sinceMs, pricePerHourMicro } = orphan;
  const nameAtMs = sinceMs + spec.nameOrphansAfterMs;
  if (nowMs < nameAtMs) draft.revisit(nameAtMs);
  else reasons.push({ code: 'orphan', providerId, id, sinceMs, pricePerHourMicro });
  // Not before it is named: its pool may be on its way back.
  const endAfterMs = isOfNoPool ? spec.nameOrphansAfterMs : spec.endOrphansAfterMs;
  if (endAfterMs === null) return orphan;
  const endAtMs = orphan.askAgainAtMs ?? sinceMs + endAfterMs;
  if (nowMs < endAtMs) {
    draft.revisit(endAtMs);
    return orphan;
  }
  actions.push({ type: 'terminate-orphan', providerId, id, reason: isOfNoPool ? 'pool-removed' : 'unknown' });
  // Told again after as long as it has been told already: the delay doubles.
  const toldMs = nowMs - (sinceMs + endAfterMs);
  const askAgainAtMs = nowMs + Math.min(endAgainMs.longest, Math.max(endAgainMs.first, toldMs));
  draft.revisit(askAgainAtMs);
  return { ...orphan, askAgainAtMs };
}

/** A machine of ours that the book has lost is written into it again, as its pool has it now. */
function adopt(draft: Draft, { id, pool: name, offering: choice, ...machine }: NodeObservation): boolean {
  const { spec, nowMs, pools } = draft;
  if (id === null || name === null || !isOurs(spec, id)) return false;
  const pool = pools.get(name);
  const offering = pool && offeringOf(pool, choice);
  if (pool === undefined || offering === undefined) return false;
  // The provider's clock may be ahead.
  const askedAtMs = Math.min(nowMs, machine.askedAtMs ?? nowMs);
  const isReady = machine.phase === 'ready';
  const node: FleetNode = {
    ...{ id, pool: name, offering, revision: pool.revision, phase: isReady ? 'ready' : 'starting' },
    ...{ askedAtMs, acceptedAtMs: nowMs, isSeen: true, readyAtMs: isReady ? nowMs : null, quietSinceMs: nowMs },
    ...{ podsKey: '', replaces: [], going: null, attempts: 0, askAgainAtMs: null, doNotDisrupt: false },
    notice: machine.notice,
  };
  draft.book.add(node);
  draft.reasons.push({ code: 'adopted', node: id, pool: name, pricePerHourMicro: offering.pricePerHourMicro });
  return true;
}

function offeringOf({ consolidation: { pool } }: FleetPool, choice: NodeObservation['offering']): Offering | undefined {
  const found = pool.offerings.find(({ offering }) => isChoice(offering, choice))?.offering;
  return found?.zone === '*' ? { ...found, zone: choice.zone } : found;
}
