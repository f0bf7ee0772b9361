import { labelOf } from '../../clarifai/converted.ts';
import type { Path } from '../../fields/rule.ts';
import { countOf, FieldError } from '../values.ts';
import type { Outcome } from '../walk.ts';

/** A node group as the flags tell it. */
export interface NodeGroup {
  /** As a document is named. */
  name: string;
  /** As the cloud names it. */
  group: string;
  minNodes: number;
  maxNodes: number | null;
  zone: string | null;
  notes: string[];
  path: Path;
}

const typeNote = 'which machines it has stands in the cloud: write instanceTypes';

/** `1:10:NAME`; of GCE the name is the address of the group, which has its zone within. */
export function readNodes(value: string, path: Path, groups: NodeGroup[]): Outcome {
  const match = /^(\d+):(\d+):(.+)$/.exec(value);
  const [, min, max, group = ''] = match ?? [];
  if (min === undefined || max === undefined) throw new FieldError(`must be MIN:MAX:NAME, found "${value}"`);
  const [minNodes, maxNodes] = [countOf(min, 100_000), countOf(max, 100_000)];
  if (minNodes > maxNodes) throw new FieldError(`has a minimum of ${minNodes}, which is more than its ${maxNodes}`);
  const zone = /\/zones\/([^/]+)\//.exec(group)?.[1] ?? null;
  const name = freeName(group.split('/').at(-1) ?? group, groups);
  groups.push({ name, group, minNodes, maxNodes, zone, notes: [typeNote], path });
  return { becomes: `NodePool "${name}"` };
}

/**
 * `asg:tag=KEY,KEY=VALUE`, `mig:namePrefix=P,min=0,max=9`, `label:KEY=VALUE,min=0,max=9`. One pool stands for all groups
 * that are found so. `tellName` takes the cluster's name from a tag that has it.
 */
export function readDiscovery(
  value: string,
  path: Path,
  groups: NodeGroup[],
  tellName: (name: string) => void,
): Outcome {
  const [discoverer = '', ...rest] = value.split(':');
  const entries = rest
    .join(':')
    .split(',')
    .map((part) => part.replace(/^(tag|label)=/, ''))
    .filter((part) => part !== '');
  if (!['asg', 'mig', 'label', 'clusterapi'].includes(discoverer) || entries.length === 0) {
    throw new FieldError(`must be asg:tag=KEYS, mig:namePrefix=NAME,min=N,max=N or label:KEYS, found "${value}"`);
  }
  const settings = new Map(entries.map((entry) => splitOnce(entry)));
  const cluster = [...settings.keys()]
    .map((key) => /^k8s\.io\/cluster-autoscaler\/(?!enabled$|disabled$|node-template)([^/]+)$/.exec(key)?.[1])
    .find((name) => name !== undefined);
  if (cluster !== undefined) tellName(cluster);
  const prefix = settings.get('namePrefix');
  const minNodes = countOf(settings.get('min') ?? '0', 100_000);
  const max = settings.get('max');
  const name = freeName(prefix ?? cluster ?? 'discovered', groups);
  groups.push({
    name,
    group: value,
    minNodes,
    maxNodes: max === undefined ? null : countOf(max, 100_000),
    zone: null,
    notes: [
      'it stands for all groups that are found by their tags or names, which only the cloud knows: write a NodePool for each',
      ...(max === undefined ? ['the bounds stand in the cloud: write minNodes and maxNodes'] : []),
      typeNote,
    ],
    path,
  });
  return { becomes: `NodePool "${name}"`, note: 'one pool stands for all groups that the cloud would find' };
}

function splitOnce(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

function freeName(group: string, groups: readonly NodeGroup[]): string {
  const name = labelOf(group);
  if (name === '') throw new FieldError(`has a name without a letter or digit: "${group}"`);
  const isTaken = (wanted: string): boolean => groups.some((other) => other.name === wanted);
  if (!isTaken(name)) return name;
  if (groups.some((other) => other.group === group)) throw new FieldError(`names the group "${group}" a second time`);
  for (let number = 2; ; number += 1) {
    const next = `${name.slice(0, 58)}-${number}`;
    if (!isTaken(next)) return next;
  }
}
