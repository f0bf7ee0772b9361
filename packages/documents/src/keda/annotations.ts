import type { Report } from '../fields/rule.ts';

const domain = 'autoscaling.keda.sh/';

/** The annotations that change what is done with a ScaledObject or ScaledJob. */
export const kedaAnnotations = {
  paused: `${domain}paused`,
  pausedReplicas: `${domain}paused-replicas`,
  pausedScaleIn: `${domain}paused-scale-in`,
  pausedScaleOut: `${domain}paused-scale-out`,
  forceActivation: `${domain}force-activation`,
  /** Ebb's own: its rules in the place of KEDA's where those let users down. */
  improvements: 'ebb.dev/improvements',
} as const;

type Annotations = Record<string, string>;

/** What the pause annotations say. */
export interface KedaPauseSpec {
  paused: boolean;
  /** Go to this many and stay there; null: not asked for. Wins over `paused: "false"`. */
  replicas: number | null;
  scaleIn: boolean;
  scaleOut: boolean;
}

/** Whether an annotation switches something on: KEDA takes what Go cannot read as a boolean as true. */
export function isSwitchedOn(annotations: Annotations, name: string): boolean {
  if (!Object.hasOwn(annotations, name)) return false;
  return !['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(annotations[name] ?? '');
}

export function resolvePause(annotations: Annotations): KedaPauseSpec {
  const replicas = annotations[kedaAnnotations.pausedReplicas];
  return {
    paused: isSwitchedOn(annotations, kedaAnnotations.paused),
    replicas: replicas === undefined ? null : Number(replicas),
    scaleIn: isSwitchedOn(annotations, kedaAnnotations.pausedScaleIn),
    scaleOut: isSwitchedOn(annotations, kedaAnnotations.pausedScaleOut),
  };
}

/** Reports annotations whose value cannot be used. */
export function checkAnnotations({ metadata }: { metadata: { annotations: Annotations } }, report: Report): void {
  const { [kedaAnnotations.pausedReplicas]: replicas, [kedaAnnotations.improvements]: improvements } =
    metadata.annotations;
  if (replicas !== undefined && !/^\d{1,9}$/.test(replicas)) {
    const message = `${kedaAnnotations.pausedReplicas} must be a whole number of at least 0, found "${replicas}"`;
    report(['metadata', 'annotations', kedaAnnotations.pausedReplicas], message, { code: 'invalid-value' });
  }
  if (improvements !== undefined && improvements !== 'true' && improvements !== 'false') {
    const message = `${kedaAnnotations.improvements} must be "true" or "false", found "${improvements}"`;
    report(['metadata', 'annotations', kedaAnnotations.improvements], message, {
      code: 'invalid-value',
      allowed: ['true', 'false'],
    });
  }
}
