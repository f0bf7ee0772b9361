import type { ProviderErrorCode } from '../../ports/provider.ts';
import { backOff } from './backOff.ts';
import type { Draft } from './draft.ts';
import { askAgainMs, doubled } from './times.ts';
import type { FleetNode, FleetOutcome } from './types.ts';

type Refusal = Extract<FleetOutcome, { type: 'refused' }>;

/** What the provider answered to launches. Answers about nodes that the book has not are of no use. */
export function takeAnswers(draft: Draft): void {
  for (const outcome of draft.observation.outcomes) {
    const node = draft.book.get(outcome.id);
    if (node === undefined) continue;
    if (outcome.type === 'accepted') accept(draft, node);
    else refuse(draft, node, outcome);
  }
}

function accept({ nowMs }: Draft, node: FleetNode): void {
  node.acceptedAtMs ??= nowMs;
  // It was told to end while it was asked for: which of the two came first is not known.
  if (node.phase === 'ending') node.askAgainAtMs = nowMs;
  if (node.phase !== 'asked') return;
  Object.assign(node, { phase: 'starting', attempts: 0, askAgainAtMs: null });
}

function refuse(draft: Draft, node: FleetNode, { code, message, retryAfterMs }: Refusal): void {
  const { nowMs } = draft;
  if (code === 'stale-epoch') return;
  if (code !== 'throttled' && code !== 'unavailable') {
    // A machine that is there was bought by an earlier call of the same id.
    if (!node.isSeen) giveUp(draft, node, code, message);
    return;
  }
  if (node.phase !== 'asked') return;
  node.attempts++;
  node.askAgainAtMs = nowMs + Math.max(retryAfterMs ?? 0, doubled(askAgainMs, node.attempts));
  const { id, attempts, askAgainAtMs } = node;
  draft.reasons.push({ code: 'asked-again', node: id, cause: code, attempts, atMs: askAgainAtMs });
}

/** The provider does not give this node. */
export function giveUp(draft: Draft, node: FleetNode, code: ProviderErrorCode, message: string): void {
  shun(draft, node, code, message);
  draft.book.drop(node);
}

/** Its offering is left alone, its pods are placed elsewhere in this very step. */
export function shun(draft: Draft, node: FleetNode, code: ProviderErrorCode, message: string): void {
  const { nowMs, memory } = draft;
  const entry = backOff(memory, node, code, nowMs);
  draft.reasons.push(
    { code: 'refused', node: node.id, offering: node.offering.id, cause: code, message },
    { code: 'backed-off', offering: entry.offering, cause: code, untilMs: entry.untilMs },
  );
  draft.unbindAll(node.id, 'refused');
  keepReplaced(draft, node);
}

/** A node that was to be replaced for money stays when its replacement cannot be had. */
export function keepReplaced(draft: Draft, { replaces }: FleetNode): void {
  for (const id of replaces) {
    const old = draft.book.get(id);
    if (old?.phase === 'draining' && old.going?.reason.kind === 'underutilized') draft.keep(old);
  }
}

/** Launches that the provider did not take, once more with the same id. */
export function askAgain(draft: Draft): void {
  for (const node of draft.book.all()) {
    if (node.phase !== 'asked' || node.askAgainAtMs === null) continue;
    if (node.askAgainAtMs > draft.nowMs) {
      draft.revisit(node.askAgainAtMs);
      continue;
    }
    node.askAgainAtMs = null;
    const forPods = draft.podsOn(node.id).map(({ pod }) => pod.id);
    draft.actions.push({ type: 'launch', node: { ...node }, forPods });
  }
}
