import type { CapacityType, NodeLaunch } from '@ebb/core';
import type { AwsPoolSpec } from '@ebb/documents';

/** Marks of Ebb's machines. */
export const clusterTag = 'ebb.dev/cluster';
export const poolTag = 'ebb.dev/pool';
export const nodeTag = 'ebb.dev/node';
const askedTag = 'ebb.dev/asked-at';
const capacityTag = 'ebb.dev/capacity-type';
/** A machine gives itself these, where its role may: when replicas may be placed, and what its metadata say of its end. */
export const readyTag = 'ebb.dev/ready';
export const noticeTag = 'ebb.dev/notice';
/** Of AWS: the group that made the machine. */
export const groupTag = 'aws:autoscaling:groupName';

/** AWS takes fifty a machine, of which a group adds some. */
const mostTags = 45;
export const capacityTypes = ['on-demand', 'spot', 'reserved'] as const;

export type Tags = Readonly<Record<string, string>>;

export interface Mark {
  id: string;
  cluster: string;
  pool: string;
  askedAtMs: number;
  capacityType: CapacityType;
}

/** Tags of a machine: marks first, then what the pool says, then labels as far as there is room. */
export function tagsOf(mark: Mark, labels: NodeLaunch['labels'], pool: Pick<AwsPoolSpec, 'tags'>): Tags {
  const marks: Record<string, string> = {
    [clusterTag]: mark.cluster,
    [poolTag]: mark.pool,
    [nodeTag]: mark.id,
    [askedTag]: String(mark.askedAtMs),
    [capacityTag]: mark.capacityType,
  };
  const wanted = Object.entries({ Name: `ebb ${mark.id}`, ...labels, ...pool.tags });
  const own = wanted.filter(([key]) => !Object.hasOwn(marks, key) && !key.startsWith('aws:'));
  // Those of the pool stand last and are kept.
  return { ...Object.fromEntries(own.slice(-(mostTags - Object.keys(marks).length))), ...marks };
}

/** As AWS' interfaces take and give them. */
export const toList = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export function fromList(tags: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined): Tags {
  return Object.fromEntries((tags ?? []).flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? '']])));
}

export function askedAtMs(tags: Tags): number | null {
  const text = tags[askedTag];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** As it was bought; null for a machine that Ebb did not buy. */
export function capacityTypeOf(tags: Tags): CapacityType | null {
  return capacityTypes.find((one) => one === tags[capacityTag]) ?? null;
}
