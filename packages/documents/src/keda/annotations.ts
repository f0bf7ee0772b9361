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

const { paused, pausedReplicas, pausedScaleIn, pausedScaleOut, forceActivation, improvements } = kedaAnnotations;

/** What each annotation of a ScaledObject does, for the reference. */
export const scaledObjectAnnotations: Readonly<Record<string, string>> = {
  [paused]: 'Nothing is changed. A value that is no boolean counts as true.',
  [pausedReplicas]: 'Go to this many replicas and stay there; wins over `paused: "false"`.',
  [pausedScaleIn]: 'Never fewer replicas than there are.',
  [pausedScaleOut]: 'Never more replicas than there are.',
  [forceActivation]: 'Active whatever the triggers say: at least one replica.',
  [improvements]:
    '`"true"`: Ebb\'s own rules in the place of KEDA\'s. Triggers are read when something happens or adaptively, every ' +
    '100 ms at zero and every second while active, and not every `pollingInterval`; going to zero is stepwise, and a ' +
    'failing source keeps what it last said.',
};

/** What each annotation of a ScaledJob does, for the reference. */
export const scaledJobAnnotations: Readonly<Record<string, string>> = {
  [paused]: 'No new Jobs; those that run go on. A value that is no boolean counts as true.',
  [improvements]:
    '`"true"`: triggers are read when something happens or adaptively, every 100 ms at zero and every second while ' +
    "active, and not every `pollingInterval`. How many Jobs are made stays KEDA's arithmetic.",
};

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
  const { [pausedReplicas]: replicas, [improvements]: own } = metadata.annotations;
  if (replicas !== undefined && !/^\d{1,9}$/.test(replicas)) {
    const message = `${pausedReplicas} must be a whole number of at least 0, found "${replicas}"`;
    report(['metadata', 'annotations', pausedReplicas], message, { code: 'invalid-value' });
  }
  if (own !== undefined && own !== 'true' && own !== 'false') {
    const message = `${improvements} must be "true" or "false", found "${own}"`;
    report(['metadata', 'annotations', improvements], message, {
      code: 'invalid-value',
      allowed: ['true', 'false'],
    });
  }
}
