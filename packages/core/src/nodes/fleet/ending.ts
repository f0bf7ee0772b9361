import type { Draft } from './draft.ts';
import { doubled, endAgainMs, evictMs, unseenEndMs } from './times.ts';
import type { FleetNode, GoingReason } from './types.ts';

/** Asks the provider to end a node on which nothing runs. While the provider is away it drains on. */
export function end(draft: Draft, node: FleetNode, reason: GoingReason): void {
  const { nowMs } = draft;
  node.going ??= { sinceMs: nowMs, reason, untilMs: null, evictedAtMs: null };
  if (draft.machines === null) {
    node.phase = 'draining';
    return;
  }
  node.phase = 'ending';
  node.attempts = 1;
  node.askAgainAtMs = nowMs + doubled(endAgainMs, 1);
  draft.revisit(node.isSeen ? node.askAgainAtMs : nowMs + unseenEndMs);
  draft.actions.push({ type: 'terminate', node: node.id, reason });
  draft.reasons.push({ code: 'going', node: node.id, reason, savingPerHourMicro: null });
}

/** Pods on nodes that drain are told to end when their grace is over, and wait for another place when they do not. */
export function evictOverdue(draft: Draft): void {
  const { nowMs } = draft;
  for (const node of draft.book.all()) {
    const { going } = node;
    const pods = draft.podsOn(node.id);
    if (node.phase !== 'draining' || going === null || going.untilMs === null || pods.length === 0) continue;
    const endAtMs = going.evictedAtMs === null ? null : going.evictedAtMs + evictMs;
    if (nowMs < going.untilMs) draft.revisit(going.untilMs);
    else if (endAtMs === null) {
      node.going = { ...going, evictedAtMs: nowMs };
      draft.actions.push({ type: 'evict', node: node.id, pods: pods.map(({ pod }) => pod.id) });
      draft.revisit(nowMs + evictMs);
    } else if (nowMs < endAtMs) draft.revisit(endAtMs);
    else if (draft.machines !== null) draft.unbindAll(node.id, 'going');
  }
}

/** Nodes that drain end when nothing is on them any more. */
export function endDrained(draft: Draft): void {
  for (const node of draft.book.all()) {
    if (node.phase === 'ending') tellAgain(draft, node);
    else if (node.phase === 'draining' && node.going !== null && draft.podsOn(node.id).length === 0) {
      end(draft, node, node.going.reason);
    }
  }
}

/** A machine that was told to end and is still there is told again. */
function tellAgain(draft: Draft, node: FleetNode): void {
  const { nowMs, machines } = draft;
  if (node.askAgainAtMs === null || machines === null) return;
  const machine = machines.get(node.id);
  if (machine?.phase === 'stopping' || (machine === undefined && node.acceptedAtMs === null)) return;
  if (nowMs >= node.askAgainAtMs && node.going !== null) {
    node.attempts++;
    node.askAgainAtMs = nowMs + doubled(endAgainMs, node.attempts);
    draft.actions.push({ type: 'terminate', node: node.id, reason: node.going.reason });
  }
  draft.revisit(node.askAgainAtMs);
}
