import { type Consolidation, type ConsolidationMove, goingSentence, type Offering } from '@ebb/core';
import type { EbbContext } from '../context.ts';
import { offeringJson } from '../instances/render.ts';
import { countText, durationText, moneyText } from '../text/format.ts';
import type { Prepared } from './asked.ts';

const keptTexts: Record<Consolidation['kept'][number]['reason'], string> = {
  going: 'it is on its way out already',
  policy: 'its pool does not allow it',
  delay: 'it has not been quiet for long enough',
  'delay-after-scale-up': 'another node has just come',
  utilization: 'it is used too much to be emptied',
  'do-not-disrupt': 'what runs on it is not to be disturbed, or not known',
  budget: 'as many nodes as the disruption budget allows are going',
  'min-nodes': 'its pool keeps a least number of nodes',
  'warm-spares': 'it is a warm spare',
  'no-place': 'its replicas have no other place',
  gain: 'moving its replicas would save nothing',
  'not-tried': 'the search ended before it was tried',
};

/** What would be moved and ended, for people: one paragraph a move, what stays and why, and the bound. */
export function consolidationLines(
  context: EbbContext,
  prepared: Prepared,
  found: Consolidation,
  currency: string,
): string[] {
  const { dim } = context.colors;
  const nameOf = namesOf(prepared);
  const lines = found.moves.flatMap((move, index) => moveLines(move, index + 1, nameOf, currency));
  const there = new Set(prepared.running.map(({ empty }) => empty.name));
  const stays = found.kept.filter(({ node }) => there.has(node));
  const kept = stays.map(({ node, reason }) => `  ${node}: ${keptTexts[reason]}`);
  return [
    ...(lines.length > 0 ? lines : ['no node should go', '']),
    ...(kept.length > 0 ? [dim('STAYS'), ...kept, ''] : []),
    ...totalLines(found, currency),
  ];
}

function moveLines(
  move: ConsolidationMove,
  number: number,
  nameOf: (id: string) => string,
  currency: string,
): string[] {
  const { remove, buy, relocate, stranded, savingPerHourMicro, costMicro, paybackMs } = move;
  const saving = `saves ${moneyText(savingPerHourMicro, currency)} an hour`;
  const cost = costMicro > 0 ? `, costs ${moneyText(Math.ceil(costMicro), currency)} once` : '';
  const payback = paybackMs !== null && costMicro > 0 ? ` and pays off within ${durationText(paybackMs)}` : '';
  const order =
    move.order === 'ready-first'
      ? 'new places are ready before replicas leave'
      : 'replicas leave before their new places are ready';
  return [
    `${number}. end ${remove.map(shortName).join(', ')}: ${goingSentence(move.reason)}; ${saving}${cost}${payback}`,
    ...buy.map(({ name, offering, pool }) => `   rent ${shortName(name)}: ${offering} in pool ${shortName(pool)}`),
    ...byTarget(move, nameOf).map(({ to, what }) => `   move ${what} to ${shortName(to)}`),
    ...(stranded.length > 0 ? [`   no place for ${sharesText(stranded.map(nameOf))}`] : []),
    ...(relocate.length > 0 ? [`   ${order}`] : []),
    '',
  ];
}

function byTarget({ relocate }: ConsolidationMove, nameOf: (id: string) => string): { to: string; what: string }[] {
  const targets = new Map<string, string[]>();
  for (const { to, place } of relocate) targets.set(to, [...(targets.get(to) ?? []), nameOf(place.id)]);
  return [...targets].map(([to, names]) => ({ to, what: sharesText(names) }));
}

function sharesText(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count} x ${name}`)).join(', ');
}

function totalLines(
  { moves, costBeforeMicro, costAfterMicro, lowerBoundMicro, gap, isComplete }: Consolidation,
  currency: string,
): string[] {
  const money = (micro: number) => moneyText(micro, currency);
  const ended = moves.reduce((sum, { remove }) => sum + remove.length, 0);
  const rented = moves.reduce((sum, { buy }) => sum + buy.length, 0);
  const share = costBeforeMicro === 0 ? 0 : 1 - costAfterMicro / costBeforeMicro;
  const less =
    moves.length === 0 ? '' : `: ${percent(share)} less, ${countText(ended, 'node')} ended, ${rented} rented`;
  const after =
    moves.length === 0
      ? `${money(costBeforeMicro)} an hour`
      : `${money(costBeforeMicro)} an hour now, ${money(costAfterMicro)} then`;
  const far =
    gap === null || lowerBoundMicro === 0
      ? ''
      : gap === 0
        ? ': it is the cheapest possible'
        : `: at most ${percentUp(gap)} above it`;
  return [
    `${after}${less}`,
    `Nothing that holds these replicas costs less than ${money(lowerBoundMicro)}${far}.`,
    ...(isComplete ? [] : ['The search ended before everything was tried: --time gives it longer.']),
  ];
}

/** New nodes and pools are named by a key: its last part is enough here. */
const shortName = (name: string): string => name.split('/').at(-1) ?? name;
const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
// Up, never down: it says how much at most.
const percentUp = (share: number): string => `${Math.ceil(share * 1000) / 10} %`;

function namesOf({ groups }: Prepared): (id: string) => string {
  const names = new Map(groups.flatMap(({ name, ids }) => ids.map((id) => [id, name] as const)));
  return (id) => names.get(id) ?? id;
}

/** The same for a machine, with the names of the core. */
export function consolidationJson(
  prepared: Prepared,
  found: Consolidation,
  currency: string,
  notes: readonly string[],
) {
  const nameOf = namesOf(prepared);
  const offerings = new Map<string, Offering>();
  for (const { pool } of prepared.pools)
    for (const { offering } of pool.offerings) offerings.set(offering.id, offering);
  const { costBeforeMicro, costAfterMicro, lowerBoundMicro, gap, isComplete, workUnits } = found;
  return {
    ...{ currency, costBeforeMicro, costAfterMicro, lowerBoundMicro, gap, isComplete, workUnits },
    moves: found.moves.map((move) => ({
      reason: move.reason,
      sentence: goingSentence(move.reason),
      remove: move.remove,
      buy: move.buy.map(({ name, pool, offering }) => {
        const known = offerings.get(offering);
        return { name, pool, offering: known ? offeringJson(known) : offering };
      }),
      relocate: move.relocate.map(({ from, to, place, waitsForWork }) => ({
        replica: nameOf(place.id),
        from,
        to,
        waitsForWork,
      })),
      stranded: move.stranded.map(nameOf),
      order: move.order,
      savingPerHourMicro: move.savingPerHourMicro,
      costMicro: move.costMicro,
      paybackMs: move.paybackMs,
    })),
    kept: found.kept.map(({ node, reason }) => ({ node, reason, sentence: keptTexts[reason] })),
    notes,
  };
}
