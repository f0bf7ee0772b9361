import { type ReadObject, templateOf } from '@ebb/kubernetes';
import { parse } from 'yaml';
import { isRecord, type PodSource, recordAt } from '../importKeda/podSpecs.ts';
import { workloadSkeleton } from '../importKeda/workloadSkeleton.ts';
import { knativeService, kserveService } from './knative.ts';
import { type Draft, leftAside, type Translated } from './translated.ts';

/** A Workload from what makes its pods, with the bounds and rules that are given. */
export function workloadDraft(
  object: ReadObject,
  { scaling, concurrency }: { scaling?: Record<string, unknown>; concurrency?: number },
): Draft & { notes: string[] } {
  const { namespace, name, kind } = object;
  const source: PodSource = { kind, namespace, name, file: 'the cluster', podSpec: podSpecOf(object) };
  const made = workloadSkeleton({ namespace, name, kind, scaledObjects: [], containerName: null }, [source]);
  const document: unknown = parse(made.yaml);
  const spec = recordAt(document, 'spec') ?? {};
  const classes = Array.isArray(spec.classes) ? spec.classes.filter(isRecord) : [];
  const withConcurrency = classes.map((one) => (concurrency === undefined ? one : { ...one, concurrency }));
  return {
    path: `workloads/${namespace}-${name}.yaml`,
    comment: [`From the ${kind} "${name}" of the cluster.`, ...made.notes.map((note) => `- ${note}`)],
    notes: made.notes,
    document: {
      ...(isRecord(document) ? document : {}),
      spec: { ...spec, classes: withConcurrency, ...(scaling ? { scaling } : {}) },
    },
  };
}

/** A service of Knative or KServe: its autoscaler's settings become the policy `knative`. */
export function translateService(object: ReadObject, others: readonly ReadObject[]): Translated {
  if (object.owner?.startsWith('InferenceService/')) {
    // KServe's own: it has everything that KServe asks of Knative.
    return translated(object, knativeService(object));
  }
  if (object.kind === 'Service') return translated(object, knativeService(object));
  const isMade = (one: ReadObject) =>
    one.owner === `InferenceService/${object.name}` && one.namespace === object.namespace;
  const made = others.find(
    (one) => isMade(one) && ['Service', 'HorizontalPodAutoscaler', 'Deployment'].includes(one.kind),
  );
  if (made) return leftAside(`KServe made the ${made.kind} "${made.name}" of it, which is read in its place`);
  return translated(object, kserveService(object));
}

function translated(
  object: ReadObject,
  { scaling, concurrency, notes }: ReturnType<typeof knativeService>,
): Translated {
  const draft = workloadDraft(object, { scaling, concurrency });
  return {
    fate: { result: 'translated', notes: [...notes, "the policy knative has its autoscaler's arithmetic"] },
    drafts: [draft],
  };
}

function podSpecOf({ kind, document }: ReadObject): Record<string, unknown> {
  if (kind !== 'InferenceService') return { ...templateOf(document) };
  const predictor = recordAt(recordAt(document, 'spec'), 'predictor') ?? {};
  const model = recordAt(predictor, 'model');
  return {
    ...templateOf({ spec: { template: { spec: { ...predictor, ...(model ? { containers: [model] } : {}) } } } }),
  };
}
