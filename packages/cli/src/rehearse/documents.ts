import { dirname } from 'node:path';
import { keyText, type ParsedDocument, resolveWorkload, type WorkloadInput } from '@ebb/documents';
import {
  comparableWorkload,
  type PolicyBase,
  policyDocuments,
  type PolicyToCompare,
  type WorldModel,
} from '@ebb/simulator';
import type { EbbContext } from '../context.ts';
import { readDocuments, refuseProblems } from '../documents.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';

type OwnDocument = Extract<PolicyToCompare['documents'], readonly unknown[]>[number];

export interface RehearsedDocuments {
  /** As they are; empty: none were given. */
  own: OwnDocument[];
  workloads: { input: WorkloadInput; maxReplicas: number }[];
  /** Slots of a replica, the same in all Workloads; null: none were given. */
  slots: number | null;
  /** Names in a journal → names of the documents. */
  rename: Record<string, string>;
}

/** Reads what is to be rehearsed. Throws after telling what is wrong with it. */
export async function documentsOf(
  context: EbbContext,
  files: readonly string[],
  json: boolean,
): Promise<RehearsedDocuments> {
  const found: RehearsedDocuments = { own: [], workloads: [], slots: null, rename: {} };
  if (files.length === 0) return found;
  const sources = await readSources(context, files);
  const { documents, problems } = readDocuments(sources, { allowForeign: true });
  refuseProblems(context, problems, { json, consequence: 'nothing was rehearsed' });
  const folder = dirname(sources[0]?.path ?? context.workingDirectory);
  const slots = new Set<number>();
  for (const parsed of documents) {
    take(found, parsed, folder);
    if (parsed.kind !== 'Workload') continue;
    for (const { concurrency } of resolveWorkload(parsed.document, { baseDirectory: folder }).classes)
      slots.add(concurrency);
  }
  if (found.workloads.length === 0) {
    throw new Failure('usage', 'there is no Workload among the documents.', ['without -f a plain one is rehearsed']);
  }
  if (slots.size > 1) {
    context.note(`The classes have ${[...slots].join(', ')} slots; the model has one number: ${Math.max(...slots)}.`);
  }
  found.slots = Math.max(...slots);
  return found;
}

function take(found: RehearsedDocuments, parsed: ParsedDocument, baseDirectory: string): void {
  const { apiVersion, kind, key, document } = parsed;
  if (kind === 'Workload') {
    const { scaling } = resolveWorkload(document, { baseDirectory });
    found.own.push({ apiVersion, kind, key, document, origin: null });
    found.workloads.push({ input: document, maxReplicas: scaling.maxReplicas });
    found.rename[keyText(key)] = key.name;
  } else if (kind === 'ScaledObject') {
    if (document.spec.triggers.some(({ type }) => type === 'cron')) {
      throw new Failure('usage', `ScaledObject ${key.name}: cron triggers cannot be rehearsed yet.`, [
        'leave it out, or write it as a schedule of the Workload (spec.scaling.schedules)',
      ]);
    }
    found.own.push({ apiVersion, kind, key, document, origin: null });
  } else if (kind === 'ScaledJob') {
    throw new Failure('usage', `ScaledJob ${key.name}: jobs cannot be rehearsed yet; leave it out.`);
  }
}

const plainName = 'model';
/** More than a policy would ever want. */
const mostReplicas = 10_000;

/** What the policies are made from: the documents, or the Workload of published comparisons. */
export function basesOf(documents: RehearsedDocuments, model: WorldModel): { own: OwnDocument[]; bases: PolicyBase[] } {
  if (documents.workloads.length > 0) {
    const bases = documents.workloads.map(({ input, maxReplicas }) => ({
      workload: input,
      settings: { model, maxReplicas },
    }));
    return { own: documents.own, bases };
  }
  const workload = comparableWorkload(plainName, model);
  const settings = { model, maxReplicas: mostReplicas };
  return { own: policyDocuments('windows', workload, settings), bases: [{ workload, settings }] };
}
