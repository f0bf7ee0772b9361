import type { NodeLaunch } from '@ebb/core';
import { labelValue } from '../cloud/names.ts';
import { type Json, listAt, objectAt, textAt } from '../cloud/json.ts';

/** By these labels machines are found; values that are no labels are hashed, so what they exactly were is in the metadata. */
export function labelsOf({ cluster, pool, id, offering }: NodeLaunch): Record<string, string> {
  return {
    'ebb-cluster': labelValue(cluster),
    'ebb-pool': labelValue(pool.replaceAll('/', '_')),
    'ebb-node': labelValue(id),
    'ebb-capacity': offering.capacityType,
  };
}

export function clusterFilter(cluster: string): string {
  return `labels.ebb-cluster="${labelValue(cluster)}"`;
}

/** What is written on a machine. Labels and taints are for what makes it a node of its cluster, such as a start-up script. */
export function metadataOf({
  cluster,
  pool,
  id,
  labels,
  taints,
  startupTaints,
  askedAtMs,
}: NodeLaunch): Record<string, string> {
  return {
    'ebb-cluster': cluster,
    'ebb-pool': pool,
    'ebb-node': id,
    'ebb-asked': String(askedAtMs),
    'ebb-labels': JSON.stringify(labels),
    'ebb-taints': JSON.stringify([...taints, ...startupTaints]),
  };
}

export interface Marks {
  id: string | null;
  cluster: string | null;
  pool: string | null;
  askedAtMs: number | null;
}

/** Out of an instance's metadata: `{ items: [{ key, value }] }`. */
export function marksOfInstance(instance: Json): Marks {
  const items = listAt(instance, 'metadata', 'items');
  const written = Object.fromEntries(items.map((item) => [textAt(item, 'key') ?? '', textAt(item, 'value')]));
  return marksOf(written);
}

/** Out of a managed instance's own configuration. */
export function marksOfManaged(managed: Json): Marks {
  return marksOf(objectAt(managed, 'preservedStateFromConfig', 'metadata'));
}

function marksOf(written: Json): Marks {
  return {
    id: textAt(written, 'ebb-node'),
    cluster: textAt(written, 'ebb-cluster'),
    pool: textAt(written, 'ebb-pool'),
    askedAtMs: /^\d{1,15}$/.test(textAt(written, 'ebb-asked') ?? '') ? Number(written['ebb-asked']) : null,
  };
}

/** Whether an instance carries the mark of the cluster; the metadata decides where it is there. */
export function isOf(instance: Json, cluster: string): boolean {
  const { cluster: written } = marksOfInstance(instance);
  return written === null ? textAt(instance, 'labels', 'ebb-cluster') === labelValue(cluster) : written === cluster;
}
