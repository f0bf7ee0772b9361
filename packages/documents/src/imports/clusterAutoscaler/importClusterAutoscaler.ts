import { labelOf } from '../../clarifai/converted.ts';
import { ProblemList } from '../../parse/problemList.ts';
import { type Draft, finishDrafts } from '../finish.ts';
import type { Imported, ImportedField, ImportSource } from '../imported.ts';
import { type ForeignDocument, foreignDocuments } from '../readTexts.ts';
import { shownValue } from '../walk.ts';
import { type AutoscalerContainer, autoscalerContainer, valueAt } from './args.ts';
import { clusterDraft, poolDrafts } from './drafts.ts';
import { newDraft } from './flags.ts';
import { isPriorityMap, type Priorities, prioritiesPath, readPriorities } from './priorityExpander.ts';
import { tell, type Told } from './tell.ts';
import { tellFlags } from './tellFlags.ts';

/**
 * Deployments of Cluster Autoscaler as a Cluster each with its NodePools. Every flag and variable is in `fields` with what
 * becomes of it; flags that the autoscaler does not have are there with the nearest that it has.
 */
export function importClusterAutoscaler(sources: readonly ImportSource[], clusterName?: string): Imported {
  const problems = new ProblemList();
  const fields: ImportedField[] = [];
  const told = { fields, problems };
  const all = foreignDocuments(sources, problems);
  const priorities = all.filter(({ value }) => isPriorityMap(value)).flatMap((one) => tellPriorities(one, told));
  const drafts = all.flatMap((foreign) => {
    const found = autoscalerContainer(foreign.value);
    return found ? autoscalerDrafts(foreign, found, priorities[0] ?? null, told, clusterName) : [];
  });
  if (drafts.length === 0 && problems.count === 0) {
    const [first] = sources;
    problems.add(() => ({
      severity: 'error',
      code: 'missing-field',
      message: 'there is no Deployment of Cluster Autoscaler in it: no container has its image or its command',
      file: first?.name ?? '',
      line: 1,
      column: 1,
      path: '',
    }));
  }
  return { documents: finishDrafts(drafts, problems), fields, problems: problems.shown() };
}

function tellPriorities(foreign: ForeignDocument, told: Told): Priorities[] {
  const found: Priorities[] = [];
  const object = `configmap/${String(valueAt(foreign.value, ['metadata', 'name']))}`;
  const value = valueAt(foreign.value, prioritiesPath);
  tell({ foreign, path: prioritiesPath, object, field: 'data.priorities', value: shownValue(value) }, told, () => {
    found.push(readPriorities(value));
    return { becomes: 'weight', note: 'a pool that no number fits has weight 0, and is still used at last' };
  });
  return found;
}

function autoscalerDrafts(
  foreign: ForeignDocument,
  found: AutoscalerContainer,
  priorities: Priorities | null,
  told: Told,
  clusterName: string | undefined,
): Draft[] {
  const draft = newDraft();
  tellFlags(draft, foreign, found, priorities, told);
  const name = clusterName ?? (labelOf(draft.clusterName ?? draft.discoveredName ?? '') || 'cluster-autoscaler');
  return [clusterDraft(name, draft, foreign, found), ...poolDrafts(name, draft, foreign, found, priorities)];
}
