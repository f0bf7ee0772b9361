import type { PoolOffering } from '../placement/types.ts';
import { activeBackOffs } from './backOff.ts';
import type { Draft } from './draft.ts';
import { Key, podsKeyOf } from './keys.ts';

/** What is for sale and under which rules; the same text means that a search would see the same. */
export function addMarket(draft: Draft, key: Key): Key {
  const { spec, memory, nowMs } = draft;
  key.add(JSON.stringify([spec.settings, spec.gain]));
  for (const { consolidation, revision, weight, expireAfterMs } of spec.pools) {
    const { pool, ...rules } = consolidation;
    const { offerings, used: _used, ...rest } = pool;
    key.add(JSON.stringify([rest, rules]), revision, weight, expireAfterMs, offeringsKey(offerings));
    for (const { backedOffUntilMs } of offerings) if (backedOffUntilMs !== null) key.add(backedOffUntilMs > nowMs);
  }
  if (draft.hedges.isOn) key.add(draft.hedges.key);
  return key.add(...[...activeBackOffs(memory, nowMs).keys()].sort());
}

const known = new WeakMap<readonly PoolOffering[], string>();

/** Kept for lists that were seen: they are the longest part. */
export function offeringsKey(offerings: readonly PoolOffering[]): string {
  const found = known.get(offerings);
  if (found !== undefined) return found;
  const key = new Key();
  for (const { offering, stock, interruptionsPerHour } of offerings) {
    key.add(offering.id, offering.pricePerHourMicro, stock, interruptionsPerHour);
  }
  known.set(offerings, key.text);
  return key.text;
}

/** Nodes, how far they are, and which pods are on them. */
export function addNodes(draft: Draft, key: Key): Key {
  for (const node of draft.book.all()) {
    const { id, phase, offering, revision, notice, doNotDisrupt } = node;
    const pods = draft.podsOn(node.id);
    const machine = draft.machines?.get(id)?.phase ?? null;
    const isOpen = phase !== 'ready' || machine === null || machine === 'ready';
    key.add(id, phase, offering.id, revision, notice?.kind ?? null, doNotDisrupt, isOpen, podsKeyOf(pods));
    for (const pod of pods) if (pod.isLeaving || pod.doNotDisrupt) key.add(pod.pod.id, pod.isLeaving);
  }
  return key;
}
