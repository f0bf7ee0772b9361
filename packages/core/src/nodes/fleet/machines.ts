import type { NodeObservation, OfferingChoice } from '../../ports/provider.ts';
import type { Offering } from '../types.ts';
import { giveUp, keepReplaced, shun } from './answers.ts';
import { endBackOff } from './backOff.ts';
import type { Draft } from './draft.ts';
import { end } from './ending.ts';
import { lossesKept, unseenEndMs } from './times.ts';
import type { FleetNode } from './types.ts';

/** What the provider's list says of the book's nodes. Nothing is concluded while it is away. */
export function readMachines(draft: Draft): void {
  const { machines, book } = draft;
  if (machines === null) return;
  for (const node of book.all()) {
    const machine = machines.get(node.id);
    if (machine === undefined || machine.phase === 'gone') leave(draft, node, machine);
    else see(draft, node, machine);
  }
}

function see(draft: Draft, node: FleetNode, machine: NodeObservation): void {
  const { failure, phase } = machine;
  const isStarting = node.phase === 'asked' || node.phase === 'starting';
  if (isStarting && phase === 'requested' && (failure === 'stock-out' || failure === 'quota')) {
    // What was accepted and cannot be filled would be filled later, beside its replacement.
    shun(draft, node, failure, machine.message);
    node.isSeen = true;
    end(draft, node, { kind: 'not-needed' });
    return;
  }
  node.isSeen = true;
  node.acceptedAtMs ??= draft.nowMs;
  if (node.phase === 'asked') Object.assign(node, { phase: 'starting', attempts: 0, askAgainAtMs: null });
  if (node.offering.zone === '*' && machine.offering.zone !== '*') {
    node.offering = { ...node.offering, zone: machine.offering.zone };
  }
  if (phase === 'booting' || phase === 'running' || phase === 'ready') endBackOff(draft.memory, node);
  if (node.phase === 'starting' && phase === 'ready') {
    Object.assign(node, { phase: 'ready', readyAtMs: draft.nowMs, quietSinceMs: draft.nowMs });
  }
  if (node.phase === 'ready' && phase !== 'stopping') {
    if (phase === 'ready') delete node.unreadySinceMs;
    else node.unreadySinceMs ??= draft.nowMs;
  }
  notice(draft, node, machine);
}

/** A machine that stops though nobody asked for it is taken as an interruption. */
function notice(draft: Draft, node: FleetNode, machine: NodeObservation): void {
  if (node.phase === 'ending') return;
  const isTaken = machine.phase === 'stopping' && machine.notice?.kind !== 'interruption';
  const said = isTaken ? ({ kind: 'interruption', goesAtMs: null } as const) : machine.notice;
  if (said === null) return;
  // The first word counts: one that is told again may come from a clock that runs otherwise.
  const isKnown = node.notice?.kind === said.kind && (node.notice.goesAtMs !== null || said.goesAtMs === null);
  if (isKnown || (node.notice?.kind === 'interruption' && said.kind === 'rebalance')) return;
  const isNew = node.notice?.kind !== said.kind;
  node.notice = { kind: said.kind, goesAtMs: said.goesAtMs };
  draft.reasons.push({ code: 'notice', node: node.id, ...node.notice });
  if (isNew && said.kind === 'interruption') countLoss(draft, node);
}

function leave(draft: Draft, node: FleetNode, machine: NodeObservation | undefined): void {
  const { nowMs, book } = draft;
  if (machine === undefined && !node.isSeen) {
    // It may come yet. One that was told to end before it was seen is waited for, so that it does not come unseen.
    if (node.phase !== 'ending' || node.going === null) return;
    const untilMs = node.going.sinceMs + unseenEndMs;
    if (nowMs < untilMs) draft.revisit(untilMs);
    else book.drop(node);
    return;
  }
  const failure = machine?.failure;
  if (node.readyAtMs === null && (failure === 'stock-out' || failure === 'quota')) {
    giveUp(draft, node, failure, machine?.message ?? failure);
    return;
  }
  if (node.phase !== 'ending') {
    if (node.notice?.kind !== 'interruption') countLoss(draft, node);
    const message = machine?.message ?? 'the provider has it no more';
    draft.reasons.push({ code: 'lost', node: node.id, message });
  }
  draft.unbindAll(node.id, 'lost');
  book.drop(node);
  if (node.readyAtMs === null && node.phase !== 'ending') keepReplaced(draft, node);
}

function countLoss({ memory, nowMs, lost }: Draft, { offering }: FleetNode): void {
  if (offering.capacityType !== 'spot') return;
  lost.push(offering.id);
  const recent = memory.losses.filter(({ atMs }) => nowMs - atMs < lossesKept.ageMs).slice(1 - lossesKept.count);
  memory.losses = [...recent, { offering: offering.id, atMs: nowMs }];
}

/** Whether an offering is what a machine is, as the provider tells it. */
export function isChoice({ instanceType, region, zone, capacityType }: Offering, choice: OfferingChoice): boolean {
  return (
    instanceType.cloud === choice.cloud &&
    instanceType.name === choice.instanceType &&
    region === choice.region &&
    capacityType === choice.capacityType &&
    (zone === choice.zone || zone === '*' || choice.zone === '*')
  );
}
