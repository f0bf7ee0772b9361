import type { StoredDocument, TemplateStart } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { type JsonObject, numberAt, objectAt, textAt, textsAt } from '../client/values.ts';
import { keyOf } from '../operator/documents.ts';

/** KEDA's label of every Job of a ScaledJob, by which it counts them, and of their pods. */
export const scaledJobLabel = 'scaledjob.keda.sh/name';
/** Generation of the ScaledJob that a Job was made from. */
export const generationAnnotation = 'scaledjob.keda.sh/generation';
/** Names labels of the ScaledJob that its Jobs do not get. */
const excludedAnnotation = 'scaledjob.keda.sh/job-excluded-labels';
/** The engine's id of a Job that Ebb has made. */
export const runAnnotation = 'ebb.dev/run';

/** Longest name of a Job: its pods have it as a label. */
const longestName = 63;

/** Always the same for one id, so that a Job that is asked for twice is made once. */
export function jobName(id: string): string {
  if (id.length <= longestName) return id;
  const suffix = id.slice(id.lastIndexOf('-'));
  return id.slice(0, longestName - suffix.length).replace(/[^a-z0-9]+$/, '') + suffix;
}

/**
 * The Job of a ScaledJob with KEDA's labels, annotations and owner: its template as it was written, with KEDA's label and,
 * where none was written, `restartPolicy: OnFailure` (KEDA pkg/scaling/executor/scale_jobs.go).
 */
export function jobObject({ id, document }: TemplateStart): JsonObject {
  const { key } = document;
  const metadata = objectAt(document.document, 'metadata');
  const annotations = textsAt(metadata, 'annotations');
  const excluded = (annotations[excludedAnnotation] ?? '').split(',');
  const own = Object.entries(textsAt(metadata, 'labels')).filter(([name]) => !excluded.includes(name));
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(id),
      namespace: key.namespace,
      labels: {
        'app.kubernetes.io/name': key.name,
        'app.kubernetes.io/part-of': key.name,
        'app.kubernetes.io/managed-by': 'ebb',
        ...Object.fromEntries(own),
        [scaledJobLabel]: key.name,
      },
      annotations: {
        ...annotations,
        [generationAnnotation]: String(numberAt(metadata, 'generation') ?? document.generation),
        [runAnnotation]: id,
      },
      ownerReferences: [ownerOf(document)],
    },
    spec: jobSpec(objectAt(document.document, 'spec', 'jobTargetRef'), key),
  };
}

function jobSpec(written: JsonObject, { name }: ObjectKey): JsonObject {
  const template = objectAt(written, 'template');
  const metadata = objectAt(template, 'metadata');
  const podSpec = objectAt(template, 'spec');
  const labels = { ...objectAt(metadata, 'labels'), [scaledJobLabel]: name };
  return {
    ...written,
    template: {
      ...template,
      metadata: { ...metadata, labels },
      spec: { ...podSpec, restartPolicy: podSpec.restartPolicy || 'OnFailure' },
    },
  };
}

/** Whoever deletes the ScaledJob deletes its Jobs. */
function ownerOf({ apiVersion, document, key }: StoredDocument): JsonObject {
  return {
    apiVersion,
    kind: 'ScaledJob',
    name: key.name,
    uid: textAt(document, 'metadata', 'uid') ?? '',
    controller: true,
  };
}

/** The ScaledJob that a Job counts for, by KEDA's label; null: none. */
export function scaledJobOf({ namespace, labels }: KubernetesObject): ObjectKey | null {
  const name = labels[scaledJobLabel];
  return name === undefined || name === '' ? null : keyOf({ namespace, name });
}

/** The engine's id of a Job, which those that others have made have too. */
export function runIdOf({ namespace, name, annotations }: KubernetesObject): string {
  return annotations[runAnnotation] ?? `${namespace}/${name}`;
}
