import { labelOf } from '../../clarifai/converted.ts';
import type { Path } from '../../fields/rule.ts';
import { apiVersion } from '../../kind.ts';
import { type Locator, withoutText } from '../../parse/place.ts';
import type { Draft } from '../finish.ts';
import { type ClassDraft, classFields } from './nodeClassRules.ts';
import type { PoolDraft } from './nodePoolRules.ts';

/** What Karpenter does where a NodePool does not say. */
const defaultDelay = '0s';

/** A document that was read, and where each part of what is made of it comes from. */
export interface Found<Of> {
  draft: Of;
  locator: Locator;
  prefix: Path;
  origins: Record<string, Path>;
}

/** Groups of node classes and whose machines they are. */
const clouds: Readonly<Record<string, string>> = {
  'karpenter.k8s.aws': 'aws',
  'eks.amazonaws.com': 'aws',
  'karpenter.azure.com': 'azure',
  'karpenter.k8s.gcp': 'gcp',
  'oci.oraclecloud.com': 'oracle',
};

/** The cluster that a pool belongs to, and its node class where that is known. */
export function clusterOf(
  { nodeClass: ref }: PoolDraft,
  classes: readonly Found<ClassDraft>[],
  given: string | undefined,
) {
  const nodeClass =
    ref?.kind === 'EC2NodeClass' ? (classes.find(({ draft }) => draft.name === ref.name) ?? null) : null;
  const name = given ?? labelOf(nodeClass?.draft.clusterName ?? '') ?? '';
  return { nodeClass, name: name === '' ? 'karpenter' : name };
}

export type Named = ReturnType<typeof clusterOf> & { pool: Found<PoolDraft> };

/** A Cluster for each name, with cloud and region from its pools. */
export function clusterDrafts(
  named: readonly Named[],
  classes: readonly Found<ClassDraft>[],
  given: string | undefined,
): Draft[] {
  const alone = classes.filter(({ draft }) => !named.some(({ nodeClass }) => nodeClass?.draft === draft));
  const names = [
    ...named.map(({ name }) => name),
    ...alone.map(({ draft }) => given ?? (labelOf(draft.clusterName ?? '') || 'karpenter')),
  ];
  return [...new Set(names)].map((name): Draft => {
    const own = named.filter((one) => one.name === name);
    const group = own.map(({ pool }) => pool.draft.nodeClass?.group).find((one) => one !== undefined);
    const regions = [...new Set(own.flatMap(({ pool }) => pool.draft.region ?? []))];
    const [region] = regions;
    const cloud = group === undefined ? 'aws' : (clouds[group] ?? 'on-prem');
    const notes = [
      ...(region !== undefined && regions.length === 1
        ? []
        : ['the region is not known: write spec.region, by which prices are looked up']),
      ...(group !== undefined && clouds[group] === undefined ? [`the cloud behind ${group} is not known here`] : []),
    ];
    const source = own[0]?.pool ?? alone[0];
    return {
      kind: 'Cluster',
      document: {
        apiVersion,
        kind: 'Cluster',
        metadata: { name },
        spec: { type: 'kubernetes', cloud, ...(region !== undefined && regions.length === 1 ? { region } : {}) },
      },
      notes,
      locator: source?.locator ?? withoutText(''),
      prefix: source?.prefix ?? [],
      origins: { 'metadata.name': ['metadata', 'name'], spec: ['spec'] },
    };
  });
}

/** The NodePool of a pool, with what its node class adds. */
export function poolDraft(pool: Found<PoolDraft>, cluster: string, nodeClass: Found<ClassDraft> | null): Draft {
  const { draft, locator, prefix, origins } = pool;
  const { spec, labels, annotations, consolidation, limits, budgets, nodeClass: ref } = draft;
  const notes = [
    ...(ref && !nodeClass ? [`the ${ref.kind} "${ref.name}" is not among the files`] : []),
    ...(spec.capacityTypes === undefined ? ['no karpenter.sh/capacity-type is named: read as on-demand'] : []),
    ...(spec.requirements === undefined && spec.instanceTypes === undefined
      ? ['every kind of machine of the cloud may be used']
      : []),
  ];
  return {
    kind: 'NodePool',
    document: {
      apiVersion,
      kind: 'NodePool',
      metadata: {
        name: labelOf(draft.name),
        ...(Object.keys(labels).length > 0 ? { labels } : {}),
        ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      },
      spec: {
        cluster,
        ...spec,
        ...(nodeClass ? classFields(nodeClass.draft) : {}),
        ...(Object.keys(limits).length > 0 ? { limits } : {}),
        consolidation: { delay: defaultDelay, ...consolidation },
        ...(budgets.length > 0 ? { disruptionBudgets: budgets } : {}),
      },
    },
    notes,
    locator,
    prefix,
    origins,
  };
}
