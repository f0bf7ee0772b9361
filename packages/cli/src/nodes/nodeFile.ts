import type { ExistingNode, NodeObservation } from '@ebb/core';
import { parse } from 'yaml';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';

const capacityTypes = ['on-demand', 'spot', 'reserved'] as const;

/**
 * Nodes out of files: a list, or an object with `items`, as `ebb get nodes -o json` prints it; YAML or JSON. What is on its way out
 * is left aside. `workloads` are the names by which replicas are told.
 */
export async function readNodeFiles(
  context: EbbContext,
  paths: readonly string[],
  workloads: readonly string[],
): Promise<ExistingNode[]> {
  const sources = await readSources(context, paths);
  const nodes = sources.flatMap(({ name, text }) =>
    entriesOf(name, text).flatMap((entry, index) => nodeOf(entry, `${name}: node ${index + 1}`, workloads)),
  );
  const seen = new Set<string>();
  for (const { id } of nodes) {
    if (seen.has(id)) throw new Failure('usage', `--nodes: there are two nodes "${id}".`);
    seen.add(id);
  }
  return nodes;
}

function entriesOf(name: string, text: string): unknown[] {
  let read: unknown;
  try {
    read = parse(text);
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new Failure('usage', `${name} is neither YAML nor JSON: ${why}`);
  }
  const items = Array.isArray(read) ? read : fieldOf(read, 'items');
  if (Array.isArray(items)) return items;
  throw new Failure('usage', `${name} has no nodes: it must be a list, or an object with "items".`, [
    '`ebb get nodes -o json` prints one',
  ]);
}

function nodeOf(entry: unknown, where: string, workloads: readonly string[]): ExistingNode[] {
  const phase = fieldOf(entry, 'phase');
  if (phase === 'draining' || phase === 'ending' || phase === 'stopping' || phase === 'gone') return [];
  const text = (name: string): string => {
    const value = fieldOf(entry, name);
    if (typeof value === 'string' && value !== '') return value;
    throw new Failure(
      'usage',
      `${where}: ${name} ${value === undefined ? 'is missing' : `is ${JSON.stringify(value)}, not a name`}.`,
    );
  };
  const capacity = fieldOf(entry, 'capacityType') ?? 'on-demand';
  const capacityType = capacityTypes.find((one) => one === capacity);
  if (capacityType === undefined) {
    throw new Failure(
      'usage',
      `${where}: capacityType is one of ${capacityTypes.join(', ')}, not ${JSON.stringify(capacity)}.`,
    );
  }
  const setAside = fieldOf(entry, 'setAside');
  const amount = (name: string) => numberOf(fieldOf(setAside, name), `${where}: setAside.${name}`) ?? 0;
  return [
    {
      id: text('id'),
      pool: text('pool'),
      cloud: text('cloud'),
      region: text('region'),
      zone: fieldOf(entry, 'zone') === undefined ? '*' : text('zone'),
      instanceType: text('instanceType'),
      capacityType,
      pricePerHourMicro: numberOf(fieldOf(entry, 'pricePerHourMicro'), `${where}: pricePerHourMicro`),
      runs: runsOf(entry, where, workloads),
      setAside:
        setAside === undefined
          ? null
          : { cpuMilli: amount('cpuMilli'), memoryBytes: amount('memoryBytes'), gpuMilli: amount('gpuMilli') },
    },
  ];
}

/** `runs: { llm: 2 }`, or `replicas` by their ids, `NAME-REVISION-SUFFIX`. Replicas of other workloads only take room. */
function runsOf(entry: unknown, where: string, workloads: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  const runs = fieldOf(entry, 'runs');
  if (runs !== undefined) {
    if (typeof runs !== 'object' || runs === null || Array.isArray(runs)) {
      throw new Failure(
        'usage',
        `${where}: runs is a map of workloads and how many replicas of each, such as { llm: 2 }.`,
      );
    }
    for (const [name, count] of Object.entries(runs)) {
      const value = numberOf(count, `${where}: runs.${name}`) ?? 0;
      if (value > 0) counts.set(name, value);
    }
    return counts;
  }
  const replicas = fieldOf(entry, 'replicas') ?? [];
  if (!Array.isArray(replicas)) throw new Failure('usage', `${where}: replicas is a list of ids.`);
  for (const id of replicas) {
    const [, name = ''] = /^(.+)-[^-]+-[^-]+$/.exec(String(id)) ?? [];
    if (workloads.includes(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function numberOf(value: unknown, what: string): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Failure('usage', `${what} is ${JSON.stringify(value)}, not a whole number.`);
}

/** Machines that a provider lists, for a plan; what runs on them only the cluster knows. */
export function listedNodes(machines: readonly NodeObservation[]): ExistingNode[] {
  return machines.flatMap(({ id, pool, offering, phase }): ExistingNode[] => {
    if (id === null || pool === null || phase === 'stopping' || phase === 'gone') return [];
    return [{ id, pool, ...offering, pricePerHourMicro: null, runs: new Map(), setAside: null }];
  });
}
