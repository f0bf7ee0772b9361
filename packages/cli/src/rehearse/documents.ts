import { dirname } from 'node:path';
import { keyText, type ParsedDocument, resolveWorkload, type ScaledJobInput, type WorkloadInput } from '@ebb/documents';
import {
  comparableWorkload,
  type PolicyBase,
  policyBase,
  policyDocuments,
  type PolicyToCompare,
  type RehearsedBase,
  type WorldModel,
} from '@ebb/simulator';
import type { ApplyInput } from '@ebb/engine';
import type { EbbContext } from '../context.ts';
import { readDocuments, refuseProblems } from '../documents.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';

type OwnDocument = Extract<PolicyToCompare['documents'], readonly unknown[]>[number];

export interface RehearsedDocuments {
  /** As they are; empty: none were given. */
  own: OwnDocument[];
  /** Clusters and NodePools. */
  places: ApplyInput[];
  workloads: (WorkloadInput | ScaledJobInput)[];
  /** Slots of a replica, the same in all Workloads, one for a Job; null: none were given. */
  slots: number | null;
  /** Of all Workloads. */
  classNames: string[];
  /** Names in a journal → names of the documents. */
  rename: Record<string, string>;
}

/**
 * Reads what is to be rehearsed. Throws after telling what is wrong with it. `takesJobs`: ScaledJobs are something that the
 * command works on.
 */
export async function documentsOf(
  context: EbbContext,
  files: readonly string[],
  json: boolean,
  takesJobs = false,
): Promise<RehearsedDocuments> {
  const found: RehearsedDocuments = { own: [], places: [], workloads: [], slots: null, classNames: [], rename: {} };
  if (files.length === 0) return found;
  const sources = await readSources(context, files);
  const { documents, problems } = readDocuments(sources, { allowForeign: true });
  refuseProblems(context, problems, { json, consequence: 'nothing was rehearsed' });
  const folder = dirname(sources[0]?.path ?? context.workingDirectory);
  const slots = new Set<number>();
  for (const parsed of documents) {
    if (parsed.kind === 'ScaledJob' && !takesJobs) {
      throw new Failure('usage', `ScaledJob ${parsed.key.name}: this command is for Workloads; leave it out.`, [
        'ebb rehearse can rehearse it',
      ]);
    }
    take(found, parsed);
    if (parsed.kind === 'ScaledJob') slots.add(1);
    if (parsed.kind !== 'Workload') continue;
    for (const { name, concurrency } of resolveWorkload(parsed.document, { baseDirectory: folder }).classes) {
      slots.add(concurrency);
      if (!found.classNames.includes(name)) found.classNames.push(name);
    }
  }
  if (found.workloads.length === 0) {
    const wanted = takesJobs ? 'Workload or ScaledJob' : 'Workload';
    throw new Failure('usage', `there is no ${wanted} among the documents.`, ['without -f a plain one is rehearsed']);
  }
  if (slots.size > 1) {
    context.note(`The classes have ${[...slots].join(', ')} slots; the model has one number: ${Math.max(...slots)}.`);
  }
  found.slots = Math.max(...slots);
  return found;
}

function take(found: RehearsedDocuments, parsed: ParsedDocument): void {
  const { apiVersion, kind, key, document } = parsed;
  if (kind === 'Cluster' || kind === 'NodePool') found.places.push({ apiVersion, kind, key, document, origin: null });
  if (kind !== 'Workload' && kind !== 'ScaledJob' && kind !== 'ScaledObject') return;
  if (kind !== 'Workload' && document.spec.triggers.some(({ type }) => type === 'cron')) {
    throw new Failure('usage', `${kind} ${key.name}: cron triggers cannot be rehearsed yet.`, [
      kind === 'ScaledObject'
        ? 'leave it out, or write it as a schedule of the Workload (spec.scaling.schedules)'
        : 'leave that trigger out',
    ]);
  }
  found.own.push({ apiVersion, kind, key, document, origin: null });
  if (kind === 'ScaledObject') return;
  found.workloads.push(document);
  found.rename[keyText(key)] = key.name;
}

const plainName = 'model';
/** More than a policy would ever want. */
const mostReplicas = 10_000;

export interface PolicyBases {
  own: OwnDocument[];
  bases: PolicyBase[];
  /** For a person: where the policies decide on something else than the documents. */
  notes: string[];
}

/** What the policies are made from: the documents, or the Workload of published comparisons. */
export function basesOf({ own, workloads }: RehearsedDocuments, model: WorldModel): PolicyBases {
  if (workloads.length > 0) {
    const found = workloads.map((document) => policyBase(document, own, model.source));
    const bases = found.map(({ workload, maxReplicas }) => ({ workload, settings: { model, maxReplicas } }));
    return { own, bases, notes: found.flatMap(noteOf) };
  }
  const workload = comparableWorkload(plainName, model);
  const settings = { model, maxReplicas: mostReplicas };
  return { own: policyDocuments('priced', workload, settings), bases: [{ workload, settings }], notes: [] };
}

function noteOf({ workload, maxReplicas, source }: RehearsedBase): string[] {
  const { name } = workload.metadata;
  if (source === 'gateway') return [];
  const gateway = 'and the gateway holds its messages as requests';
  if (source === 'queue') {
    return [
      `Workload ${name} works on a broker’s queue under ebb. The other policies scale it in their own way, ${gateway}.`,
    ];
  }
  return [
    `ScaledJob ${name} makes Jobs under ebb. The other policies scale a Workload with its command instead: ` +
      `one message at a time, at most ${maxReplicas} replicas, ${gateway}.`,
  ];
}
