import type { SizedResource, SizingRecommendation } from '@ebb/core';
import type { SizingApplySpec } from '@ebb/documents';
import type { Mode } from '../advice/mode.ts';
import type { Said } from '../operator/since.ts';
import type { ContainerChange } from './fit.ts';
import type { ResizePlan } from './plan.ts';
import { type HeldCode, heldReasons, heldText } from './reasons.ts';
import { recommendedText } from './recommendation.ts';

export interface SizingFacts {
  readonly sizing: SizingApplySpec;
  readonly mode: Mode;
  /** Who else sizes the pods; null: nobody. */
  readonly rival: string | null;
  /** What the workload is scaled by as a share of its requests. */
  readonly shares: readonly SizedResource[];
  readonly told: SizingRecommendation | null;
  readonly early: readonly string[];
  /** Null: no pods were looked at yet. */
  readonly plan: ResizePlan | null;
  readonly template: { readonly changes: readonly ContainerChange[] } | { readonly held: HeldCode } | null;
  /** What the node or the API server said of a pod that does not get it; null: all do. */
  readonly refusal: string | null;
  readonly isInPlaceServed: boolean;
  /** Why nothing is measured; null: it is. */
  readonly error: string | null;
  /** What went wrong the last time something was written; null: nothing. */
  readonly trouble: string | null;
}

/** Reasons of the condition, with what each means. */
export const sizingConditions = {
  ScaleConflict: 'another one sizes the pods',
  NotMeasured: 'the resource metrics API cannot be read',
  NotWritten: 'the API server did not take what was to be written',
  TooEarly: 'there are not enough samples to go by',
  Recommended: 'it is only told, by its document or because Ebb only advises',
  InPlaceNotServed: 'the cluster cannot resize pods: they change with the next roll-out',
  WaitsForNode: 'some pods wait for their node, or get it with the next roll-out',
  WaitsForRollout: 'pods that run keep what they have: the template changes once there are no replicas',
  Applied: 'all pods ask for what is recommended, or are being changed',
} as const;

/** What is said of a workload's sizing, as one condition: the first thing in the way, or how far it is. */
export function sizingCondition(facts: SizingFacts): Said {
  const { sizing, mode, rival, told, early, error, trouble, plan } = facts;
  const wanted = told && told.containers.length > 0 ? `recommended: ${recommendedText(told)}` : null;
  if (rival !== null) return no('ScaleConflict', `the pods are sized by the VerticalPodAutoscaler ${rival} already`);
  if (error !== null) return no('NotMeasured', error);
  if (trouble !== null) return no('NotWritten', trouble);
  if (wanted === null) return no('TooEarly', early.length > 0 ? early.join(' ') : 'nothing was measured yet');
  const shares = sharesText(facts.shares);
  if (sizing.apply === 'never') return yes('Recommended', `${wanted}; nothing is changed (apply: never)${shares}`);
  if (mode === 'advice') return yes('Recommended', `${wanted}; nothing is changed, as Ebb only advises here${shares}`);
  const template = templateText(facts);
  if (sizing.apply === 'nextRollout') {
    const waits = facts.template && 'held' in facts.template && facts.template.held === 'runs';
    return yes(waits ? 'WaitsForRollout' : 'Applied', `${wanted}${template}${shares}`);
  }
  if (!facts.isInPlaceServed) {
    const why = 'the cluster has no pods/resize, which Kubernetes has from 1.33 on';
    return no('InPlaceNotServed', `${wanted}; ${why}${template}${shares}`);
  }
  const held = heldText(plan?.held ?? []);
  const waits = plan?.held.some(({ code }) => waitsForNode.has(code)) ?? false;
  const said = waits && facts.refusal ? ` (${facts.refusal})` : '';
  const text = `${wanted}${held === '' ? '' : `; ${held}${said}`}${waits ? template : ''}${shares}`;
  return waits ? no('WaitsForNode', text) : yes('Applied', text);
}

const waitsForNode: ReadonlySet<HeldCode> = new Set([
  'deferred',
  'infeasible',
  'refused',
  'best-effort',
  'restarts',
  'pod-level',
]);

function templateText({ template }: SizingFacts): string {
  if (!template || !('held' in template) || template.held === 'fits') return '';
  return `; the template: ${heldReasons[template.held]}`;
}

function sharesText(shares: readonly SizedResource[]): string {
  return shares.length === 0 ? '' : `; ${shares.join(' and ')} stays, as it is scaled by the share of that request`;
}

function yes(reason: keyof typeof sizingConditions, message: string): Said {
  return { type: 'Sizing', status: 'True', reason, message };
}

function no(reason: keyof typeof sizingConditions, message: string): Said {
  return { type: 'Sizing', status: 'False', reason, message };
}
