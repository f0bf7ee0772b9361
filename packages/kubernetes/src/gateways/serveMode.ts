/** Where requests of a Service go: through the gateways, or straight to the pods. */
export type PathMode = 'proxy' | 'serve';

/** What one decision rests on. Times are milliseconds. */
export interface PathFacts {
  readonly nowMs: number;
  /** Replicas that are ready and do not drain. */
  readonly ready: number;
  /** Replicas that were decided. */
  readonly wanted: number;
  /** Requests that a replica takes at once; 0: it is not said. */
  readonly concurrency: number;
  /** Requests in flight or held, as gateways count them. What goes past them is not in it. */
  readonly observed: number;
  /** Gateway pods that are ready. */
  readonly gateways: number;
  /** Why the gateways have to stay in the path; null: they need not. */
  readonly blind: PathReason | null;
  /** It may go to zero, and what is measured elsewhere asks for nothing: only gateways see whether somebody still comes. */
  readonly isIdle: boolean;
  /** Requests that are to find room at once, on top of those there are; 0: always enough, -1: never. Null: those of one replica. */
  readonly targetBurstCapacity: number | null;
  /** How long nothing may have spoken for the gateways before they leave the path. */
  readonly steadyMs: number;
}

export interface PathReason {
  /** One word, for a condition. */
  readonly code: string;
  /** For a person. */
  readonly message: string;
}

/** What is kept between two decisions. */
export interface PathMemory {
  readonly mode: PathMode;
  readonly sinceMs: number;
  /** When something last spoke for the gateways. */
  readonly neededAtMs: number;
  /** Most requests for each replica that was wanted, since then. */
  readonly loadPerReplica: number;
}

export interface PathDecision extends PathReason {
  readonly mode: PathMode;
  /** Room that is left after a burst; null: it was not asked for. */
  readonly excess: number | null;
  readonly memory: PathMemory;
  /** When time alone may change it; null: never. */
  readonly revisitAtMs: number | null;
}

/** Requests that a replica is taken to bear at once where nobody says it, as Knative does. */
export const usualConcurrency = 100;

/**
 * Excess burst capacity as Knative has it (`pkg/autoscaler/scaling/autoscaler.go`): floor(ready × total − target − observed); 0 for
 * a target of 0 and -1 for one of -1, whatever there is. Below 0 the buffer in front of the replicas is needed.
 */
export function excessBurstCapacity(facts: {
  ready: number;
  /** Requests that one replica takes at once. */
  total: number;
  targetBurstCapacity: number;
  observed: number;
}): number {
  const { ready, total, targetBurstCapacity, observed } = facts;
  if (targetBurstCapacity === 0) return 0;
  if (targetBurstCapacity < 0) return -1;
  return Math.floor(ready * total - targetBurstCapacity - observed);
}

/**
 * Whether requests go through the gateways. What speaks for them counts at once; they leave the path only when nothing has for
 * `steadyMs`, so that there are at most two changes in that time. While they are out of it their counts say nothing: what was seen
 * before for each replica is then taken for each one that is wanted now.
 */
export function decidePath(before: PathMemory | null, facts: PathFacts): PathDecision {
  const { nowMs, wanted, observed, steadyMs } = facts;
  const memory = before ?? { mode: 'proxy', sinceMs: nowMs, neededAtMs: nowMs, loadPerReplica: 0 };
  const load = observed / Math.max(1, wanted);
  const isOut = memory.mode === 'serve';
  const loadPerReplica = isOut ? memory.loadPerReplica : Math.max(memory.loadPerReplica, load);
  const seen = isOut ? Math.max(observed, loadPerReplica * wanted) : observed;
  const total = facts.concurrency > 0 ? facts.concurrency : usualConcurrency;
  const excess = excessBurstCapacity({
    ready: facts.ready,
    total,
    targetBurstCapacity: facts.targetBurstCapacity ?? total,
    observed: seen,
  });
  const need = neededFor(facts, excess);
  const to = (mode: PathMode, reason: PathReason, kept: Partial<PathMemory>, revisitAtMs: number | null) => ({
    ...reason,
    mode,
    excess,
    memory: { ...memory, loadPerReplica, ...kept, mode, sinceMs: mode === memory.mode ? memory.sinceMs : nowMs },
    revisitAtMs,
  });
  if (need) return to('proxy', need, { neededAtMs: nowMs, loadPerReplica: isOut ? memory.loadPerReplica : load }, null);
  if (facts.gateways === 0) return to('serve', noGateway, {}, null);
  const settledAtMs = memory.neededAtMs + steadyMs;
  const room = `there is room for ${excess} requests on top of a burst`;
  if (!isOut && nowMs < settledAtMs) {
    const message = `${room}: the gateways leave the path if that lasts`;
    return to('proxy', { code: 'Settling', message }, {}, settledAtMs);
  }
  const message = `requests go straight to ${facts.ready} pods: ${room}`;
  return to('serve', { code: 'EnoughCapacity', message }, {}, null);
}

const noGateway: PathReason = {
  code: 'NoGateway',
  message: 'no gateway is ready: requests go straight to the pods until one is',
};

/** What speaks for the gateways now; null: nothing. */
function neededFor(facts: PathFacts, excess: number): PathReason | null {
  const { ready, gateways, blind, isIdle, targetBurstCapacity } = facts;
  if (ready === 0) return { code: 'NoReplica', message: 'no pod takes requests: the gateways hold what comes' };
  if (targetBurstCapacity !== null && targetBurstCapacity < 0)
    return { code: 'AlwaysProxy', message: 'a target burst capacity of -1 keeps the gateways in the path' };
  if (blind) return blind;
  // Nobody would answer: what pods there are is better than that.
  if (gateways === 0) return null;
  if (isIdle)
    return {
      code: 'MayGoToZero',
      message: 'nothing else asks for a replica: the gateways see whether somebody still comes',
    };
  if (excess >= 0) return null;
  const message = `${-excess} requests of a burst would find no room on ${ready} pods: the gateways hold them`;
  return { code: 'ShortOfCapacity', message };
}
