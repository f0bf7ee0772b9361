import { keptHpa, modeAnnotation, pausedAnnotation, type ReadObject, takenOverAnnotation } from '@ebb/kubernetes';
import { recordAt } from '../importKeda/podSpecs.ts';

/** What `ebb take-over` writes besides. */
const marks = [takenOverAnnotation, modeAnnotation, pausedAnnotation];

/** An object as its user wrote it, where Ebb is in charge of it by now: an HPA that is silenced, a ScaledObject that KEDA pauses. */
export function beforeTakeOver(object: ReadObject): ReadObject {
  const { document } = object;
  const metadata = recordAt(document, 'metadata') ?? {};
  const annotations = textsOf(metadata.annotations);
  if (annotations[takenOverAnnotation] === undefined) return object;
  const own = Object.entries(annotations).filter(([name]) => !marks.includes(name));
  const { annotations: _with, ...rest } = metadata;
  const without = {
    ...document,
    metadata: own.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(own) },
  };
  const kept = object.kind === 'HorizontalPodAutoscaler' ? keptHpa({ annotations }) : null;
  if (!kept) return { ...object, document: without };
  const { minReplicas: _min, maxReplicas: _max, behavior: _behavior, ...spec } = recordAt(document, 'spec') ?? {};
  return { ...object, document: { ...without, spec: { ...spec, ...kept.spec } } };
}

export function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  const texts = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts);
}
