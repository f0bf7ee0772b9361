import { importClusterAutoscaler, type Imported, importKarpenter, type Problem } from '@ebb/documents';
import { isClusterAutoscaler, type ReadCluster, type ReadObject } from '@ebb/kubernetes';
import { stringify } from 'yaml';
import { readDocuments } from '../documents.ts';
import { documentText, fileNameOf } from '../importNodes/documentText.ts';
import { recordAt } from '../importKeda/podSpecs.ts';
import { beforeTakeOver } from './beforeTakeOver.ts';
import { translateHpa } from './hpa.ts';
import { withoutSecretValues } from './secretValues.ts';
import { type Draft, type Fate, leftAside, type Translated } from './translated.ts';
import { translateService, workloadDraft } from './workloads.ts';

/** A file to be written. */
export interface ImportedFile {
  path: string;
  text: string;
}

export interface ImportedCluster {
  files: ImportedFile[];
  fates: Fate[];
}

/** By path. */
type Drafts = Map<string, { text: string; fate: Fate }>;

const asTheyAre = [
  'ScaledObject',
  'ScaledJob',
  'TriggerAuthentication',
  'ClusterTriggerAuthentication',
  'HTTPScaledObject',
  'InterceptorRoute',
  'VerticalPodAutoscaler',
];
/** Of two that scale one target the first is kept: ScaledObjects come before HPAs. */
const order = [...asTheyAre, 'HorizontalPodAutoscaler', 'Service', 'InferenceService', 'Deployment', 'StatefulSet'];

/** What a cluster becomes: documents that are valid together, and what became of each object. Pure. */
export function importCluster(cluster: ReadCluster, { all }: { all: boolean }): ImportedCluster {
  const objects = cluster.objects.map(beforeTakeOver);
  const fates: Fate[] = [];
  const drafts: Drafts = new Map();
  const keep = (object: ReadObject, { fate, drafts: made }: Translated) => {
    const told: Fate = { object: nameOf(object), files: [], ...fate, notes: [...fate.notes] };
    fates.push(told);
    for (const draft of made) {
      const { document, paths } = withoutSecretValues(draft.document);
      if (paths.length > 0) told.notes.push(`values that may be secret are left out: ${paths.join(', ')}`);
      drafts.set(draft.path, { text: textOf({ ...draft, document }), fate: told });
    }
  };
  const targets = targetsOf(objects);
  const sorted = [...objects].sort((left, right) => order.indexOf(left.kind) - order.indexOf(right.kind));
  for (const object of sorted) {
    if (order.includes(object.kind)) keep(object, translate(object, objects, targets, all));
  }
  importNodes(objects, fates, drafts);
  dropInvalid(drafts);
  const files = [...drafts].map(([path, { text, fate }]) => {
    fate.files.push(path);
    return { path, text };
  });
  return { files, fates };
}

function translate(
  object: ReadObject,
  objects: readonly ReadObject[],
  targets: ReadonlyMap<string, Bounds>,
  all: boolean,
): Translated {
  const { kind, name, namespace, document } = object;
  const pathOf = (of: string, named: string) =>
    `${namespace === '' ? 'cluster' : namespace}/${of.toLowerCase()}-${named}.yaml`;
  try {
    if (asTheyAre.includes(kind)) {
      return { fate: { result: 'taken', notes: [] }, drafts: [{ path: pathOf(kind, name), comment: [], document }] };
    }
    if (kind === 'HorizontalPodAutoscaler') return translateHpa(object, pathOf, objects);
    if (kind === 'Service' || kind === 'InferenceService') return translateService(object, objects);
  } catch (error) {
    return leftAside(error instanceof Error ? error.message : String(error));
  }
  return translateTarget(object, targets, all);
}

/** A Deployment or StatefulSet: a Workload of its name where something scales it. */
function translateTarget(object: ReadObject, targets: ReadonlyMap<string, Bounds>, all: boolean): Translated {
  const { kind, name, namespace, document } = object;
  if (isClusterAutoscaler(object))
    return { fate: { result: 'translated', notes: ['see its flags below'] }, drafts: [] };
  if (recordAt(recordAt(document, 'metadata'), 'labels')?.['serving.knative.dev/service'] !== undefined) {
    return leftAside('Knative made it for a Service, which is read in its place');
  }
  const bounds = targets.get(`${kind} ${namespace}/${name}`);
  if (!bounds && !all) return leftAside('nothing scales it; --all writes it too');
  const replicas = recordAt(document, 'spec')?.replicas;
  const count = typeof replicas === 'number' ? replicas : 1;
  const scaling = bounds ?? { minReplicas: count, maxReplicas: Math.max(1, count) };
  const { notes: _notes, ...draft } = workloadDraft(object, { scaling: { ...scaling } });
  const note = bounds ? 'what a replica is; in the cluster its pods stay as they are' : 'the number that it has now';
  return { fate: { result: 'translated', notes: [note] }, drafts: [draft] };
}

interface Bounds {
  minReplicas: number;
  maxReplicas: number;
}

/** Fields of the bounds, and what is meant where they are left out. */
const boundsOf: Readonly<
  Record<string, (spec: Record<string, unknown>) => [min: unknown, max: unknown, most: number]>
> = {
  ScaledObject: (spec) => [spec.minReplicaCount ?? 0, spec.maxReplicaCount, 100],
  HorizontalPodAutoscaler: (spec) => [spec.minReplicas ?? 1, spec.maxReplicas, 1],
  HTTPScaledObject: (spec) => [recordAt(spec, 'replicas')?.min ?? 0, recordAt(spec, 'replicas')?.max, 100],
};

/** What ScaledObjects, HPAs and routes scale, as `Deployment shop/web`, within which bounds; of several the first counts. */
function targetsOf(objects: readonly ReadObject[]): Map<string, Bounds> {
  const targets = new Map<string, Bounds>();
  for (const [kind, read] of Object.entries(boundsOf)) {
    for (const { namespace, document } of objects.filter((one) => one.kind === kind)) {
      const spec = recordAt(document, 'spec') ?? {};
      const reference = recordAt(spec, 'scaleTargetRef');
      if (typeof reference?.name !== 'string') continue;
      const of = typeof reference.kind === 'string' ? reference.kind : 'Deployment';
      const target = `${of} ${namespace}/${reference.name}`;
      const [min, max, most] = read(spec);
      const minReplicas = typeof min === 'number' ? min : 0;
      const maxReplicas = Math.max(1, minReplicas, typeof max === 'number' ? max : most);
      if (!targets.has(target)) targets.set(target, { minReplicas, maxReplicas });
    }
  }
  return targets;
}

/** Karpenter's and Cluster Autoscaler's machines, by the importers of their files. */
function importNodes(objects: readonly ReadObject[], fates: Fate[], drafts: Drafts): void {
  const karpenter = objects.filter(({ kind }) => kind === 'NodePool' || kind === 'EC2NodeClass');
  const autoscalers = objects.filter((one) => isClusterAutoscaler(one) || one.kind === 'ConfigMap');
  for (const [group, read] of [
    [karpenter, importKarpenter],
    [autoscalers, importClusterAutoscaler],
  ] as const) {
    if (group.length === 0) continue;
    const text = group.map(({ document }) => stringify(document)).join('---\n');
    const imported: Imported = read([{ name: 'the cluster', text }]);
    const notes = [
      ...imported.problems.filter(({ severity }) => severity === 'error').map(({ message }) => message),
      ...imported.fields.flatMap(({ object, field, result, reason }) =>
        result === 'honoured' ? [] : [`${object} ${field}: ${result}${reason === null ? '' : `, ${reason}`}`],
      ),
    ];
    const named = group.map(nameOf).join(', ');
    const fate: Fate = {
      object: named,
      result: imported.documents.length > 0 ? 'translated' : 'left aside',
      files: [],
      notes,
    };
    fates.push(fate);
    for (const document of imported.documents) {
      drafts.set(`cluster/${fileNameOf(document)}`, { text: documentText(document), fate });
    }
  }
}

/**
 * What Ebb would refuse is not written: its reason stands in the report. From the last on, and read again after each that may
 * be right without another one: of two that exclude each other the first is kept.
 */
function dropInvalid(drafts: Drafts): void {
  for (;;) {
    const wrong = errorsOf(drafts);
    if (wrong.length === 0) return;
    for (const [index, problem] of wrong.toReversed().entries()) {
      const found = drafts.get(problem.file);
      // It has gone by an error of its that comes later.
      if (!found && index > 0) continue;
      if (!found) throw new Error(`a problem of no file: ${problem.file}: ${problem.message}`);
      if (index > 0 && !isWrongAlone(problem, found)) break;
      drafts.delete(problem.file);
      found.fate.result = 'left aside';
      found.fate.notes.push(`${problem.path === '' ? '' : `${problem.path}: `}${problem.message}`);
    }
  }
}

function errorsOf(drafts: Iterable<readonly [path: string, draft: { text: string }]>): Problem[] {
  const { problems } = readDocuments([...drafts].map(([path, { text }]) => ({ name: path, path: null, text })));
  return problems.filter(({ severity }) => severity === 'error');
}

function isWrongAlone({ file, path, message }: Problem, draft: { text: string }): boolean {
  return errorsOf([[file, draft]]).some((one) => one.path === path && one.message === message);
}

function textOf({ comment, document }: Draft): string {
  return `${comment.map((line) => `# ${line}\n`).join('')}${stringify(document, { lineWidth: 110 })}`;
}

function nameOf({ kind, namespace, name }: ReadObject): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}
