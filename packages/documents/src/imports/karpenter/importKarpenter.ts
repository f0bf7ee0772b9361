import type { Path } from '../../fields/rule.ts';
import { withoutClusterFields } from '../../kubernetes/document.ts';
import { pathText } from '../../parse/place.ts';
import { ProblemList } from '../../parse/problemList.ts';
import { finishDrafts } from '../finish.ts';
import type { Imported, ImportedField, ImportSource } from '../imported.ts';
import { type ForeignDocument, foreignDocuments } from '../readTexts.ts';
import { isRecord } from '../values.ts';
import { walkFields } from '../walk.ts';
import { clusterDrafts, clusterOf, type Found, poolDraft } from './drafts.ts';
import { type ClassDraft, nodeClassRules } from './nodeClassRules.ts';
import { nodePoolRules, type PoolDraft } from './nodePoolRules.ts';

/** How long a node lives where its NodePool does not say. */
const defaultExpireAfter = '30d';

/**
 * NodePools and EC2NodeClasses of Karpenter (v1) as NodePools and Clusters here. Every field is in `fields` with what
 * becomes of it; what is wrong is in `problems`, and keeps its document out. `clusterName` replaces the name that the node
 * classes tell.
 */
export function importKarpenter(sources: readonly ImportSource[], clusterName?: string): Imported {
  const problems = new ProblemList();
  const fields: ImportedField[] = [];
  const pools: Found<PoolDraft>[] = [];
  const classes: Found<ClassDraft>[] = [];
  for (const foreign of foreignDocuments(sources, problems)) {
    const { kind, apiVersion: version } = foreign.value;
    if (kind === 'NodePool' && version === 'karpenter.sh/v1') pools.push(readPool(foreign, fields, problems));
    else if (kind === 'EC2NodeClass' && version === 'karpenter.k8s.aws/v1') {
      classes.push(readClass(foreign, fields, problems));
    } else tellOther(foreign, problems);
  }
  const named = pools.map((pool) => ({ pool, ...clusterOf(pool.draft, classes, clusterName) }));
  const drafts = [
    ...clusterDrafts(named, classes, clusterName),
    ...named.map(({ pool, name, nodeClass }) => poolDraft(pool, name, nodeClass)),
  ];
  const documents = finishDrafts(drafts, problems);
  return { documents, fields, problems: problems.shown() };
}

function readPool(foreign: ForeignDocument, fields: ImportedField[], problems: ProblemList): Found<PoolDraft> {
  const draft: PoolDraft = {
    name: '',
    labels: {},
    annotations: {},
    spec: { expireAfter: defaultExpireAfter },
    consolidation: {},
    limits: {},
    budgets: [],
    nodeClass: null,
    region: null,
  };
  const origins = walkOf(foreign, draft, nodePoolRules, fields, problems);
  return { draft, locator: foreign.locator, prefix: foreign.prefix, origins };
}

function readClass(foreign: ForeignDocument, fields: ImportedField[], problems: ProblemList): Found<ClassDraft> {
  const draft: ClassDraft = { name: '', clusterName: null, maxPods: null, reserved: { cpuMilli: 0, memoryBytes: 0 } };
  const origins = walkOf(foreign, draft, nodeClassRules, fields, problems);
  return { draft, locator: foreign.locator, prefix: foreign.prefix, origins };
}

function walkOf<Of>(
  { value, locator, prefix }: ForeignDocument,
  draft: Of,
  rules: Parameters<typeof walkFields<Of>>[2]['rules'],
  fields: ImportedField[],
  problems: ProblemList,
): Record<string, Path> {
  const { apiVersion: version, kind, ...rest } = withoutClusterFields(value);
  const name = isRecord(value.metadata) ? String(value.metadata.name) : '';
  const origins: Record<string, Path> = { 'metadata.name': ['metadata', 'name'] };
  walkFields(rest, [], {
    rules: { ...rules },
    draft,
    object: `${String(kind).toLowerCase()}/${name}`,
    kindText: `${String(kind)} (${String(version)})`,
    locator,
    prefix,
    hidden: ['spec.userData'],
    fields,
    problems,
    placed: (becomes, from) => {
      for (const path of becomes.split(' and ')) origins[path.startsWith('metadata.') ? path : `spec.${path}`] = from;
    },
  });
  return origins;
}

/** The document left aside, or, where it is Karpenter's and could have been meant, an error. */
function tellOther({ value, locator, prefix }: ForeignDocument, problems: ProblemList): void {
  const { kind, apiVersion: version } = value;
  const isOld = typeof version === 'string' && /^karpenter\.(sh|k8s\.aws)\/v1(alpha|beta)\d+$/.test(version);
  const isRead = ['NodePool', 'EC2NodeClass', 'Provisioner', 'AWSNodeTemplate'].includes(String(kind));
  const what = `${String(kind)} (${String(version)})`;
  problems.add(() => ({
    severity: isOld && isRead ? 'error' : 'warning',
    code: isOld && isRead ? 'unsupported-version' : 'kind-not-used',
    message:
      isOld && isRead
        ? `${what} is not read; write karpenter.sh/v1 and karpenter.k8s.aws/v1`
        : `${what} is left aside: NodePool (karpenter.sh/v1) and EC2NodeClass (karpenter.k8s.aws/v1) are read`,
    file: locator.file,
    ...locator.place([...prefix, 'kind'], 'value'),
    path: pathText([...prefix, 'kind']),
  }));
}
