import { applyRecommendation } from './apply.ts';
import { asksForLess, type Candidate, candidatesOf } from './candidates.ts';
import { DisruptionBudget } from './disruption.ts';
import { because } from './sizingReasons.ts';
import type { SizingRecommendation } from './types.ts';
import type { ReplicaUpdate, UpdatableReplica, UpdateObservation, UpdatePlan, UpdateSpec } from './updaterTypes.ts';

/**
 * One round of the Vertical Pod Autoscaler's updater: which running replicas get the recommended size now, how, and in
 * which order. A resize that then fails is for the caller to handle: in the mode InPlaceOrRecreate by evicting.
 */
export function planUpdates(
  spec: UpdateSpec,
  recommendation: SizingRecommendation,
  observation: UpdateObservation,
): UpdatePlan {
  const { mode } = spec.policy;
  if (mode === 'Off' || mode === 'Initial' || (mode === 'InPlace' && !spec.settings.inPlaceEnabled)) {
    const reasons = [because('sizing-mode', { mode })];
    return { updates: [], held: observation.replicas.map(({ name }) => ({ replica: name, reasons })) };
  }
  const round = new UpdateRound(spec, recommendation, observation);
  if (mode === 'InPlace' || mode === 'InPlaceOrRecreate') round.resize();
  else round.evict(round.candidates((replica) => round.budget.mayEvict(replica)));
  return round.plan;
}

/** `waits`: not now; upstream tries again in the mode InPlace, as the node decides there. */
type InPlace = 'resize' | 'waits' | 'evict' | 'refused' | 'refused before';

class UpdateRound {
  readonly plan: UpdatePlan = { updates: [], held: [] };
  readonly budget: DisruptionBudget;
  readonly #spec: UpdateSpec;
  readonly #recommendation: SizingRecommendation;
  readonly #observation: UpdateObservation;

  constructor(spec: UpdateSpec, recommendation: SizingRecommendation, observation: UpdateObservation) {
    this.#spec = spec;
    this.#recommendation = recommendation;
    this.#observation = observation;
    this.budget = new DisruptionBudget(spec, observation);
  }

  candidates(possible: (replica: UpdatableReplica) => boolean): Candidate[] {
    const { replicas, nowMs } = this.#observation;
    const open = replicas.filter((replica) => {
      if (possible(replica)) return true;
      this.plan.held.push({ replica: replica.name, reasons: [this.#whyNot(replica)] });
      return false;
    });
    return candidatesOf(this.#spec, this.#recommendation, open, nowMs, this.plan.held);
  }

  evict(candidates: Candidate[]): void {
    for (const { replica, reasons } of candidates) {
      if (!this.budget.mayEvict(replica)) {
        this.plan.held.push({ replica: replica.name, reasons: [...reasons, this.budget.whyNot(replica)] });
        continue;
      }
      this.#add(replica, 'evict', reasons);
      this.budget.countEviction(replica);
    }
  }

  resize(): void {
    const only = this.#spec.policy.mode === 'InPlace';
    const candidates = this.candidates((replica) => {
      const decision = this.#inPlace(replica);
      return decision === 'resize' || (only ? decision !== 'refused before' : decision === 'evict');
    });
    const failed: Candidate[] = [];
    for (const candidate of candidates) {
      const { replica, reasons } = candidate;
      const decision = this.#inPlace(replica);
      if (decision === 'evict') {
        const resize = replica.resize?.status ?? 'unknown';
        failed.push({
          ...candidate,
          reasons: [...reasons, because('sizing-resize-failed', { replica: replica.name, resize })],
        });
      } else if ((decision === 'waits' && !only) || !this.budget.takesPart(replica)) {
        this.plan.held.push({ replica: replica.name, reasons: [...reasons, this.#whyNot(replica)] });
      } else {
        this.#add(replica, 'resize', reasons, decision === 'refused');
        this.budget.countResize(replica);
      }
    }
    this.evict(failed);
  }

  /** Source: VPA updater, in-place restriction. */
  #inPlace(replica: UpdatableReplica): InPlace {
    const { policy, settings } = this.#spec;
    const only = policy.mode === 'InPlace';
    if (!this.budget.takesPart(replica) || replica.pending) return 'waits';
    if (only && replica.refused && !asksForLess(this.#recommendation, replica.refused)) return 'refused before';
    if (replica.resize) {
      if (only) return replica.resize.status === 'infeasible' ? 'refused' : 'waits';
      return this.budget.resizeFailed(replica) ? 'evict' : 'waits';
    }
    if (settings.inPlaceSkipsBudget && !replica.resizeRestarts) return 'resize';
    return this.budget.mayDisrupt(replica) ? 'resize' : 'waits';
  }

  #whyNot(replica: UpdatableReplica) {
    if (this.#inPlaceMode && this.#inPlace(replica) === 'refused before') {
      return because('sizing-refused-before', { replica: replica.name });
    }
    if (this.#inPlaceMode && replica.pending && this.budget.takesPart(replica)) {
      return because('sizing-resize-waits', { replica: replica.name, resize: 'not begun: it is still pending' });
    }
    return this.budget.whyNot(replica);
  }

  get #inPlaceMode(): boolean {
    return this.#spec.policy.mode.startsWith('InPlace');
  }

  #add(
    replica: UpdatableReplica,
    action: 'evict' | 'resize',
    reasons: ReplicaUpdate['reasons'],
    refused = false,
  ): void {
    const applied = applyRecommendation(this.#recommendation, replica.containers, this.#spec);
    this.plan.updates.push({
      replica: replica.name,
      action,
      remembersRefusal: refused,
      containers: applied.containers,
      reasons: [...reasons, ...applied.reasons],
    });
  }
}
