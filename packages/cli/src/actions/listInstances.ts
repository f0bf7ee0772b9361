import { catalogueNames, type OfferingQuery, queryOfferings } from '@ebb/catalogue';
import type { Offering } from '@ebb/core';
import { parseBytes, parseMilli } from '@ebb/documents';
import type { ListInstancesFlags } from '../commands/listInstances.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { loadOfferings } from '../instances/load.ts';
import { offeringJson, offeringLines } from '../instances/render.ts';
import { didYouMean } from '../suggest.ts';
import { countText } from '../text/format.ts';

const defaultRows = 30;

export async function listInstances(context: EbbContext, flags: ListInstancesFlags): Promise<undefined> {
  const all = await loadOfferings(context, flags.catalogue, flags.factor ?? []);
  checkNames(all, flags);
  const found = queryOfferings(all, queryOf(flags));
  if (flags.json) {
    context.json({ offerings: found.slice(0, flags.limit || undefined).map(offeringJson) });
    return;
  }
  if (found.length === 0) {
    context.note('no machine of the list has all of that');
    return;
  }
  const shown = found.slice(0, (flags.limit ?? defaultRows) || undefined);
  const [head = '', ...rows] = offeringLines(shown);
  context.out(context.colors.dim(head), ...rows);
  const more = found.length - shown.length;
  if (more > 0) context.note(`and ${countText(more, 'dearer one')}; --limit 0 shows all`);
}

/** A name that the list does not have is a slip, not an empty answer. */
function checkNames(all: readonly Offering[], { cloud, region, gpu, instance }: ListInstancesFlags): void {
  const names = catalogueNames(all);
  if (cloud !== undefined) checkName('cloud', cloud, names.clouds);
  const regions = cloud === undefined ? names.regions : catalogueNames(queryOfferings(all, { cloud })).regions;
  if (region !== undefined) checkName(cloud === undefined ? 'region' : `region of ${cloud}`, region, regions);
  if (gpu !== undefined && queryOfferings(all, { gpu }).length === 0) throw unknown('GPU', gpu, names.gpus);
  if (instance !== undefined && queryOfferings(all, { instance }).length === 0) {
    const known = [...new Set(all.map(({ instanceType }) => instanceType.name))];
    throw new Failure('usage', `the list has no machine "${instance}".${didYouMean(instance, known)}`);
  }
}

function checkName(what: string, found: string, allowed: readonly string[]): void {
  if (!allowed.includes(found)) throw unknown(what, found, allowed);
}

function unknown(what: string, found: string, allowed: readonly string[]): Failure {
  return new Failure('usage', `the list has no ${what} "${found}".${didYouMean(found, allowed)}`, [
    `it has ${allowed.join(', ')}`,
  ]);
}

function queryOf(flags: ListInstancesFlags): OfferingQuery {
  const { cloud, region, instance, gpu, minGpus, minGpuMem, minCpu, minMemory, arch, capacity } = flags;
  return {
    ...(cloud === undefined ? {} : { cloud }),
    ...(region === undefined ? {} : { region }),
    ...(instance === undefined ? {} : { instance }),
    ...(gpu === undefined ? {} : { gpu }),
    ...(minGpus === undefined ? {} : { minGpus }),
    ...(minGpuMem === undefined ? {} : { minGpuMemoryBytes: amount('--min-gpu-mem', parseBytes(minGpuMem)) }),
    ...(minCpu === undefined ? {} : { minCpuMilli: amount('--min-cpu', parseMilli(minCpu)) }),
    ...(minMemory === undefined ? {} : { minMemoryBytes: amount('--min-memory', parseBytes(minMemory)) }),
    ...(arch === undefined ? {} : { architecture: arch }),
    ...(capacity === undefined ? {} : { capacityTypes: [capacity] }),
  };
}

function amount(flag: string, parsed: { value: number } | { error: string }): number {
  if ('error' in parsed) throw new Failure('usage', `${flag}: ${parsed.error}`);
  return parsed.value;
}
