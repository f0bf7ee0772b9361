import type { ApiObject } from '@ebb/client';
import {
  clarifaiAnnotations,
  type KindName,
  type ParsedDocument,
  resolveNodePool,
  resolveWorkload,
  withProgram,
} from '@ebb/documents';
import { stringify } from 'yaml';
import type { CreateDeploymentFlags, CreateFlags, ListFlags, ListNodepoolsFlags } from '../commands/clarifai.ts';
import type { NamespacedFlags } from '../commands/flags.ts';
import type { EbbContext } from '../context.ts';
import { readDocuments, refuseProblems } from '../documents.ts';
import { Failure } from '../failure.ts';
import { readSources, type SourceText } from '../files.ts';
import { findKind } from '../kinds.ts';
import { openSession } from '../session.ts';
import { countText } from '../text/format.ts';
import { type Column, table } from '../text/table.ts';
import { applyTexts } from './apply.ts';
import { deleteOne } from './delete.ts';

/** Clarifai's word for a kind. */
const wordOf = { Cluster: 'compute_cluster', NodePool: 'nodepool', Workload: 'deployment' } as const;
type OwnKind = keyof typeof wordOf;
/** What stands in the document in place of what the file has. */
type Change = (document: Record<string, unknown>) => Record<string, unknown>;

export async function createCluster(context: EbbContext, flags: CreateFlags, id?: string): Promise<undefined> {
  await create(context, flags, 'Cluster', (document) => named(document, id, flags.namespace));
}

export async function createNodepool(
  context: EbbContext,
  flags: CreateFlags,
  clusterId?: string,
  id?: string,
): Promise<undefined> {
  const change: Change = (document) => withSpec(document, clusterId === undefined ? {} : { cluster: clusterId });
  await create(context, flags, 'NodePool', (document) => change(named(document, id, flags.namespace)));
}

export async function createDeployment(
  context: EbbContext,
  flags: CreateDeploymentFlags,
  poolId?: string,
  id?: string,
): Promise<undefined> {
  const command = flags.command?.split(/\s+/).filter((part) => part !== '');
  if (command?.length === 0) throw new Failure('usage', '--command needs a program.');
  await create(context, flags, 'Workload', (document) => {
    const own = named(document, id, flags.namespace);
    const placed = poolId === undefined ? own : withSpec(own, { placement: { ...placementOf(own), pools: [poolId] } });
    return command ? withProgram(placed, command) : placed;
  });
}

/** Applies the documents of one kind that a file has, each with the change. */
async function create(context: EbbContext, flags: CreateFlags, kind: OwnKind, change: Change): Promise<void> {
  const json = flags.json ?? false;
  const sources = await readSources(context, [flags.config]);
  const { documents, problems } = readDocuments(sources);
  refuseProblems(context, problems.filter(isWorthTelling(flags)), { json, consequence: 'nothing was changed' });
  const wanted = documents.filter((document) => document.kind === kind);
  const [only, another] = wanted;
  if (!only || another) throw wrongNumber(kind, wanted, documents, flags.config);
  const source = sources.find(({ name }) => name === only.file);
  const text = stringify(change({ ...only.document }));
  const changed: SourceText = { name: only.file, path: source?.path ?? null, text };
  // What was put in may be wrong where the file was right.
  const again = readDocuments([changed]).problems.filter(({ severity }) => severity === 'error');
  refuseProblems(context, again, { json, consequence: 'nothing was changed' });
  await applyTexts(context, flags, [changed], (problem) => {
    return { ...problem, file: only.file, ...only.placeOf(problem.path) };
  });
}

/** With its program given, nothing is missing. */
function isWorthTelling(flags: CreateDeploymentFlags) {
  return ({ code, path }: { code: string; path: string }): boolean =>
    flags.command === undefined || code !== 'mode-not-available' || !path.startsWith('deployment.worker');
}

function wrongNumber(
  kind: OwnKind,
  wanted: readonly ParsedDocument[],
  documents: readonly ParsedDocument[],
  file: string,
): Failure {
  const found =
    wanted.length > 0 ? `${wanted.length} of them` : documents.map((one) => one.kind).join(', ') || 'nothing';
  return new Failure('usage', `${file} must have one ${wordOf[kind]} (or one ${kind}), found ${found}.`, [
    'ebb apply -f FILE takes files with any number of documents',
  ]);
}

function named(document: Record<string, unknown>, name: string | undefined, namespace: string | undefined) {
  const metadata = isRecord(document.metadata) ? document.metadata : {};
  const own = { ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) };
  return { ...document, metadata: { ...metadata, ...own } };
}

function withSpec(document: Record<string, unknown>, fields: Record<string, unknown>): Record<string, unknown> {
  return { ...document, spec: { ...(isRecord(document.spec) ? document.spec : {}), ...fields } };
}

function placementOf({ spec }: Record<string, unknown>): Record<string, unknown> {
  return isRecord(spec) && isRecord(spec.placement) ? spec.placement : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export async function listClusters(context: EbbContext, flags: ListFlags): Promise<undefined> {
  await list(context, flags, 'Cluster', [
    column('id', ({ metadata }) => metadata.name),
    column('user id', annotation(clarifaiAnnotations.userId)),
    column('description', annotation(clarifaiAnnotations.description)),
  ]);
}

export async function listNodepools(context: EbbContext, flags: ListNodepoolsFlags): Promise<undefined> {
  const cluster = flags.computeClusterId ?? flags.compute_cluster_id;
  const columns = [
    column('id', ({ metadata }) => metadata.name),
    column('user id', annotation(clarifaiAnnotations.userId)),
    column('compute cluster id', clusterOf),
    column('instances', (object) => {
      const { minNodes, maxNodes } = resolveNodePool(asDocument(object));
      return `${minNodes}-${maxNodes ?? ''}`;
    }),
    column('description', annotation(clarifaiAnnotations.description)),
  ];
  await list(context, flags, 'NodePool', columns, (object) => cluster === undefined || clusterOf(object) === cluster);
}

export async function listDeployments(context: EbbContext, flags: ListFlags, poolId?: string): Promise<undefined> {
  const columns = [
    column('id', ({ metadata }) => metadata.name),
    column('user id', annotation(clarifaiAnnotations.userId)),
    column('compute cluster id', (object) => unique(poolsOf(object).map((pool) => pool.cluster ?? '-'))),
    column('nodepool id', (object) => unique(poolsOf(object).map(({ name }) => name))),
    column('model id', annotation(clarifaiAnnotations.modelId)),
    column('model version id', annotation(clarifaiAnnotations.modelVersionId)),
    column('description', annotation(clarifaiAnnotations.description)),
  ];
  const inPool = (object: ApiObject): boolean => poolsOf(object).some(({ name }) => name === poolId);
  await list(context, flags, 'Workload', columns, (object) => poolId === undefined || inPool(object));
}

async function list(
  context: EbbContext,
  flags: ListFlags,
  kindName: KindName,
  columns: Column<ApiObject>[],
  isWanted: (object: ApiObject) => boolean = () => true,
): Promise<void> {
  const kind = findKind(kindName);
  const namespace = flags.allNamespaces ? '*' : (flags.namespace ?? 'default');
  const { client } = await openSession(context, flags);
  const all = await client.list(kind.plural, { namespace, ...(kindName === 'NodePool' ? { cluster: '*' } : {}) });
  const objects = all.filter(isWanted);
  if (flags.json) context.json({ apiVersion: 'ebb.dev/v1alpha1', kind: `${kindName}List`, items: objects });
  else if (objects.length === 0) {
    context.note(all.length === 0 ? `no ${kind.plural}` : `none of ${countText(all.length, kind.singular)} fits`);
  } else {
    const [head = '', ...rows] = table(columns, objects);
    context.out(context.colors.dim(head), ...rows);
  }
}

export async function deleteCluster(context: EbbContext, flags: NamespacedFlags, id: string): Promise<undefined> {
  await remove(context, flags, 'Cluster', id);
}

export async function deleteNodepool(
  context: EbbContext,
  flags: NamespacedFlags,
  cluster: string,
  id: string,
): Promise<undefined> {
  await remove(context, flags, 'NodePool', id, cluster);
}

export async function deleteDeployment(context: EbbContext, flags: NamespacedFlags, id: string): Promise<undefined> {
  await remove(context, flags, 'Workload', id);
}

async function remove(
  context: EbbContext,
  flags: NamespacedFlags,
  kind: KindName,
  name: string,
  cluster?: string,
): Promise<void> {
  const target = { kind: findKind(kind), name, namespace: flags.namespace ?? 'default' };
  const place = cluster === undefined ? {} : { cluster };
  await deleteOne(context, await openSession(context, flags), { ...target, ...place }, flags.json ?? false);
}

function column(title: string, value: (object: ApiObject) => string): Column<ApiObject> {
  return { title, value };
}

function clusterOf({ metadata }: ApiObject): string {
  return metadata.cluster;
}

function annotation(key: string) {
  return ({ metadata }: ApiObject): string => metadata.annotations[key] ?? '-';
}

function poolsOf(object: ApiObject): { name: string; cluster: string | null }[] {
  return resolveWorkload(asDocument(object), { baseDirectory: '/' }).placement?.pools ?? [];
}

function asDocument({ apiVersion, kind, metadata, spec }: ApiObject): unknown {
  return { apiVersion, kind, metadata, spec };
}

function unique(texts: readonly string[]): string {
  return texts.length === 0 ? '-' : [...new Set(texts)].join(',');
}
