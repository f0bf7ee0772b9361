import { apiVersion } from '../../kind.ts';
import type { Draft } from '../finish.ts';
import type { ForeignDocument } from '../readTexts.ts';
import type { AutoscalerContainer } from './args.ts';
import type { AutoscalerDraft } from './flags.ts';
import { type Priorities, weightOf } from './priorityExpander.ts';

/** The cluster that the autoscaler looks after. */
export function clusterDraft(
  name: string,
  draft: AutoscalerDraft,
  { locator, prefix }: ForeignDocument,
  found: AutoscalerContainer,
): Draft {
  const { cloud, nodeLimits } = draft;
  const region = draft.region ?? regionOfZones(draft);
  return {
    kind: 'Cluster',
    document: {
      apiVersion,
      kind: 'Cluster',
      metadata: { name },
      spec: {
        type: 'kubernetes',
        cloud,
        ...(region === null ? {} : { region }),
        ...(Object.keys(nodeLimits).length > 0 ? { nodeLimits } : {}),
      },
    },
    notes: region === null ? ['the region is not known: write spec.region, by which prices are looked up'] : [],
    locator,
    prefix,
    origins: { spec: found.path, 'metadata.name': found.path },
  };
}

/** `us-central1` where every group is in a zone of it. */
function regionOfZones({ groups }: AutoscalerDraft): string | null {
  const regions = groups.map(({ zone }) => zone?.replace(/-?[a-z]$/, '') ?? null);
  const [first = null] = regions;
  return regions.every((region) => region === first) ? first : null;
}

/** A pool for each of its node groups. */
export function poolDrafts(
  cluster: string,
  draft: AutoscalerDraft,
  { locator, prefix }: ForeignDocument,
  found: AutoscalerContainer,
  priorities: Priorities | null,
): Draft[] {
  const weighs = priorities !== null && draft.expanders.includes('priority');
  return draft.groups.map((group): Draft => {
    const weight = weighs ? weightOf(group.group, priorities) : 0;
    return {
      kind: 'NodePool',
      document: {
        apiVersion,
        kind: 'NodePool',
        metadata: { name: group.name, annotations: { 'ebb.dev/node-group': group.group } },
        spec: {
          cluster,
          minNodes: group.minNodes,
          ...(group.maxNodes === null ? {} : { maxNodes: group.maxNodes }),
          ...(weight > 0 ? { weight } : {}),
          ...(group.zone === null
            ? {}
            : { requirements: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: [group.zone] }] }),
          ...(draft.startupTaints.length > 0 ? { startupTaints: draft.startupTaints } : {}),
          consolidation: draft.consolidation,
          disruptionBudgets: [{ nodes: draft.maxGoing }, { nodes: draft.maxDraining, reasons: ['Underutilized'] }],
          ...(draft.terminationGrace === null ? {} : { terminationGrace: draft.terminationGrace }),
          startTimeout: draft.startTimeout,
        },
      },
      notes: group.notes,
      locator,
      prefix,
      origins: { spec: found.path, 'metadata.name': group.path },
    };
  });
}
