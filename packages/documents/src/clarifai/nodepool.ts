import { apiVersion } from '../kind.ts';
import { type Converted, hintList, labelOf, metadataOf, sayIgnored, withoutUndefined } from './converted.ts';
import type { Nodepool } from './schemas.ts';

const ignored = {
  visibility: 'who may see an object is not part of documents here',
  metadata: 'it is not read; write annotations into the NodePool',
  special_handling: 'its meaning is not published',
};

/** A NodePool of the same name and bounds. */
export function convertNodepool(source: Nodepool): Converted {
  const { hints, say } = hintList('nodepool');
  sayIgnored(source, ignored, say);
  for (const [index, type] of source.instance_types.entries()) {
    if (type.compute_info) {
      say(
        ['instance_types', index, 'compute_info'],
        `compute_info is not honoured: what a "${type.id}" has comes from the cloud's own list`,
      );
    }
  }
  if (source.max_instances === 0) {
    say(['max_instances'], 'max_instances 0 turns the pool off: maxNodes 0 starts no node here either');
  }
  return {
    kind: 'NodePool',
    document: {
      apiVersion,
      kind: 'NodePool',
      metadata: metadataOf(source, {}, say),
      spec: withoutUndefined<unknown>({
        cluster: labelOf(source.compute_cluster.id),
        instanceTypes: source.instance_types.map(({ id }) => id),
        capacityTypes: capacityTypes(source, say),
        minNodes: source.min_instances,
        maxNodes: source.max_instances,
        warmSpares: source.warm_instances,
      }),
    },
    hints,
    origins: {
      'metadata.name': ['nodepool', 'id'],
      'spec.cluster': ['nodepool', 'compute_cluster', 'id'],
      'spec.instanceTypes': ['nodepool', 'instance_types'],
      'spec.capacityTypes': ['nodepool', 'node_capacity_type', 'capacity_types'],
      'spec.minNodes': ['nodepool', 'min_instances'],
      'spec.maxNodes': ['nodepool', 'max_instances'],
      'spec.warmSpares': ['nodepool', 'warm_instances'],
    },
  };
}

/** With both, spot comes first, as with Clarifai. Undefined: the default, on-demand. */
function capacityTypes({ node_capacity_type: node }: Nodepool, say: ReturnType<typeof hintList>['say']) {
  const named = node?.capacity_types ?? [];
  const unknown = named.indexOf('UNKNOWN_CAPACITY_TYPE');
  if (unknown >= 0) {
    say(['node_capacity_type', 'capacity_types', unknown], 'capacity type 0 names none; 1 is on-demand and 2 is spot');
  }
  const types = [
    ...(named.includes('SPOT_TYPE') ? ['spot'] : []),
    ...(named.includes('ON_DEMAND_TYPE') ? ['on-demand'] : []),
  ];
  return types.length > 0 ? types : undefined;
}
