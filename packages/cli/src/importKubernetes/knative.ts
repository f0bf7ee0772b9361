import { type KpaSettings, parseKnativeAnnotations } from '@ebb/core';
import { formatDuration } from '@ebb/documents';
import type { ReadObject } from '@ebb/kubernetes';
import { isRecord, recordAt } from '../importKeda/podSpecs.ts';

/** Where no most is written Knative knows none, and a Workload has to have one. */
const most = 100;

/** What a service of Knative says of its scaling, as `scaling` of a Workload, with what is not as it was. */
export interface KnativeScaling {
  scaling: Record<string, unknown>;
  concurrency: number;
  notes: string[];
}

export function knativeScaling(annotations: Record<string, string>, containerConcurrency: number): KnativeScaling {
  const { settings, problems, unknown } = parseKnativeAnnotations(annotations, {}, containerConcurrency);
  const plain = parseKnativeAnnotations({}, {}, containerConcurrency).settings;
  const notes = [
    ...problems.map(({ message }) => message),
    ...unknown.map((key) => `${key} is not known, to Knative neither`),
  ];
  if (/hpa/.test(annotations['autoscaling.knative.dev/class'] ?? '')) {
    notes.push("its class is Knative's HPA: see the HorizontalPodAutoscaler that Knative makes");
  }
  if (settings.maxScale === 0) notes.push(`it has no max-scale; maxReplicas is ${most} here`);
  const policy = { type: 'knative', ...changedSettings(settings, plain) };
  return {
    scaling: {
      minReplicas: settings.minScale,
      maxReplicas: settings.maxScale === 0 ? Math.max(most, settings.minScale) : settings.maxScale,
      policy,
    },
    concurrency: containerConcurrency,
    notes,
  };
}

const durations: Partial<Record<keyof KpaSettings, string>> = {
  stableWindowMs: 'stableWindow',
  scaleToZeroPodRetentionPeriodMs: 'scaleToZeroPodRetentionPeriod',
  scaleDownDelayMs: 'scaleDownDelay',
};
const plainNames = [
  'metric',
  'target',
  'targetUtilization',
  'panicWindowPercentage',
  'panicThresholdPercentage',
  'targetBurstCapacity',
  'initialScale',
  'activationScale',
  'aggregation',
] as const;

function changedSettings(settings: KpaSettings, plain: KpaSettings): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const name of plainNames) if (settings[name] !== plain[name]) changed[name] = settings[name];
  for (const [name, field] of Object.entries(durations)) {
    const value = settings[name as keyof typeof durations];
    if (typeof value === 'number' && value !== plain[name as keyof typeof durations])
      changed[field] = formatDuration(value);
  }
  return changed;
}

/** Annotations and concurrency of a Knative Service's next revision. */
export function knativeService({ document }: ReadObject): KnativeScaling {
  const template = recordAt(recordAt(document, 'spec'), 'template');
  return knativeScaling(textsOf(recordAt(template, 'metadata')?.annotations), countOf(recordAt(template, 'spec')));
}

/** KServe's predictor: its own fields say more than annotations do. */
export function kserveService({ document }: ReadObject): KnativeScaling {
  const predictor = recordAt(recordAt(document, 'spec'), 'predictor') ?? {};
  const domain = 'autoscaling.knative.dev/';
  const metadata = recordAt(document, 'metadata');
  const annotations = {
    ...Object.fromEntries(Object.entries(textsOf(metadata?.annotations)).filter(([key]) => key.startsWith(domain))),
    // Left out, KServe keeps one.
    [`${domain}min-scale`]: String(predictor.minReplicas ?? 1),
    ...(predictor.maxReplicas === undefined ? {} : { [`${domain}max-scale`]: String(predictor.maxReplicas) }),
    ...(predictor.scaleTarget === undefined ? {} : { [`${domain}target`]: String(predictor.scaleTarget) }),
    ...(predictor.scaleMetric === undefined ? {} : { [`${domain}metric`]: String(predictor.scaleMetric) }),
  };
  return knativeScaling(annotations, countOf(predictor));
}

function countOf(spec: Record<string, unknown> | undefined): number {
  return typeof spec?.containerConcurrency === 'number' ? spec.containerConcurrency : 0;
}

function textsOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (typeof one === 'string' ? [[key, one]] : [])),
  );
}
