import type { Solver } from '../../ports/solver.ts';
import { askAgain, takeAnswers } from './answers.ts';
import { Draft } from './draft.ts';
import { endEmpty } from './empties.ts';
import { endDrained, evictOverdue } from './ending.ts';
import { startGoing } from './going.ts';
import { giveBack, hedge } from './hedging.ts';
import { podsKeyOf } from './keys.ts';
import { readMachines } from './machines.ts';
import { readUnknown } from './orphans.ts';
import { placeWaiting } from './placing.ts';
import { findSavings } from './savings.ts';
import { buyReserve } from './spares.ts';
import type { FleetDecision, FleetMemory, FleetObservation, FleetSpec } from './types.ts';

/** A fleet of which nothing is known yet. */
function newMemory(nowMs: number): FleetMemory {
  return {
    ...{ version: 1, nodes: [], backedOff: [], nextNumber: 1, losses: [], orphans: [], consolidatedAtMs: null },
    ...{ consolidated: null, unplaced: null, largest: [], staleIdPrefix: null },
    provider: { isAway: true, sinceMs: nowMs, isSeen: false },
  };
}

/**
 * What a cluster's machines need now: which to buy, where pods go, which to end, and when it wants to be asked again. Pure; the memory
 * is what it returned before, null at first, and is to be stored before the actions are carried out, in their order. Every `launch`
 * is to be answered by an outcome. Times are the engine's; those of machines are told, never reckoned with.
 */
export function fleetStep(
  spec: FleetSpec,
  before: FleetMemory | null,
  observation: FleetObservation,
  solver: Solver | null,
): { decision: FleetDecision; memory: FleetMemory } {
  const known = before ?? newMemory(observation.nowMs);
  const memory: FleetMemory = { ...known, backedOff: [...known.backedOff], provider: { ...known.provider } };
  const draft = new Draft(spec, memory, observation);
  if (isStale(draft)) {
    memory.staleIdPrefix = spec.idPrefix;
    draft.reasons.push({ code: 'stale-epoch' });
    return tell(draft);
  }
  heedWishes(draft);
  watchProvider(draft);
  takeAnswers(draft);
  readMachines(draft);
  readUnknown(draft);
  if (memory.provider.isSeen) {
    unbindStrays(draft);
    startGoing(draft);
    evictOverdue(draft);
    askAgain(draft);
    if (!spec.isRemoved) {
      draft.hedges.decide();
      placeWaiting(draft, solver);
    }
  }
  watchQuiet(draft);
  if (memory.provider.isSeen && !spec.isRemoved) hedge(draft);
  if (draft.machines !== null && !spec.isRemoved) {
    endEmpty(draft);
    // What a move buys may take the place of a node that was kept for a least number.
    const isMoved = findSavings(draft, solver);
    const isGivenBack = giveBack(draft);
    if (isGivenBack || (isMoved && draft.hedges.isOn)) hedge(draft);
    if (isGivenBack || isMoved) endEmpty(draft);
  }
  if (memory.provider.isSeen && !spec.isRemoved) buyReserve(draft);
  endDrained(draft);
  if (!spec.isRemoved) draft.hedges.finish();
  return tell(draft);
}

/** Another control plane has taken over: this one, known by its prefix, acts no more. */
function isStale({ spec, memory, observation }: Draft): boolean {
  return (
    memory.staleIdPrefix === spec.idPrefix ||
    observation.outcomes.some((outcome) => outcome.type === 'refused' && outcome.code === 'stale-epoch')
  );
}

/** Nodes that somebody wants left alone. */
function heedWishes({ book, observation: { doNotDisrupt } }: Draft): void {
  if (doNotDisrupt === undefined) return;
  for (const node of book.all()) node.doNotDisrupt = doNotDisrupt.includes(node.id);
}

function watchProvider({ memory, machines, nowMs, reasons }: Draft): void {
  const isAway = machines === null;
  const { provider } = memory;
  if (isAway !== provider.isAway || (!isAway && !provider.isSeen)) provider.sinceMs = nowMs;
  provider.isAway = isAway;
  if (!isAway) provider.isSeen = true;
  else reasons.push({ code: 'provider-away' });
}

/** Pods on nodes that the book has not. */
function unbindStrays(draft: Draft): void {
  for (const node of draft.nodesWithPods) if (!draft.book.has(node)) draft.unbindAll(node, 'lost');
}

/** Notes when pods came or went. */
function watchQuiet(draft: Draft): void {
  for (const node of draft.book.all()) {
    const key = podsKeyOf(draft.podsOn(node.id));
    if (key === node.podsKey) continue;
    // An empty one that just came has not changed.
    if (node.podsKey !== '' || draft.podsOn(node.id).length > 0) node.quietSinceMs = draft.nowMs;
    node.podsKey = key;
  }
}

function tell(draft: Draft): { decision: FleetDecision; memory: FleetMemory } {
  const { memory, actions, reasons, revisitAtMs, workUnits, book } = draft;
  memory.nodes = book.all();
  let price = 0;
  for (const { offering } of memory.nodes) price += offering.pricePerHourMicro;
  for (const { pricePerHourMicro } of memory.orphans) price += pricePerHourMicro ?? 0;
  const isEmpty = draft.observation.pods.length === 0;
  const lowerBoundMicro = isEmpty ? 0 : draft.lowerBoundMicro;
  return {
    decision: { actions, reasons, pricePerHourMicro: price, lowerBoundMicro, revisitAtMs, workUnits },
    memory,
  };
}
