import { catalogueCurrency } from '@ebb/catalogue';
import { checkPlan, type Plan, type PlacementInput, placementInputOf, type PlacementQuestion } from '@ebb/core';
import { resolveCluster, resolveNodePool, resolveWorkload } from '@ebb/documents';
import { openPlanner, workUnitsOf } from '@ebb/solver';
import { dirname } from 'node:path';
import type { PlanFlags } from '../commands/plan.ts';
import type { EbbContext } from '../context.ts';
import { readDocuments, refuseProblems } from '../documents.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { readSources, type SourceText } from '../files.ts';
import { loadOfferings } from '../instances/load.ts';
import { planView } from '../plan/planView.ts';
import { planningLine } from '../plan/progress.ts';
import { replicasAsked } from '../plan/replicasAsked.ts';
import { planJson, planLines } from '../plan/render.ts';
import { countText } from '../text/format.ts';

const defaultTimeMs = 4000;

export async function plan(context: EbbContext, flags: PlanFlags): Promise<ExitName> {
  if (flags.budgetUnits !== undefined && flags.time !== undefined) {
    throw new Failure('usage', '--budget-units and --time both bound the work; give one of them.');
  }
  const replicas = replicasAsked(flags.replicas ?? []);
  const documents = await readAsked(context, flags);
  const offerings = await loadOfferings(context, flags.catalogue, flags.factor ?? []);
  const { input, groups, notes, problems } = placementInputOf({
    ...documents,
    ...{ offerings, replicas, currency: catalogueCurrency },
    cloud: flags.cloud ?? null,
    region: flags.region ?? null,
  });
  if (problems.length > 0) {
    const [first = '', ...rest] = problems;
    throw new Failure('usage', first, rest);
  }
  for (const note of notes) context.note(context.errorColors.dim(note));
  const found = await planned(context, input, flags);
  const view = planView(input, groups, found);
  if (flags.json) context.json(planJson(view, found, catalogueCurrency, notes));
  else context.out(...planLines(context, view, found, catalogueCurrency));
  return found.unplaceable.length === 0 ? 'ok' : 'failed';
}

type Documents = Pick<PlacementQuestion, 'workloads' | 'pools' | 'clusters'>;

async function readAsked(context: EbbContext, { file, json }: PlanFlags): Promise<Documents> {
  const sources = await readSources(context, file);
  const { documents, problems } = readDocuments(sources, { checksTriggers: false });
  // That this machine has no nodes is no news here.
  const told = problems.filter(({ code, severity }) => code !== 'mode-not-available' || severity === 'error');
  refuseProblems(context, told, { json: json ?? false, consequence: 'nothing was planned' });
  const found = {
    workloads: documents
      .filter(({ kind }) => kind === 'Workload')
      .map((one) => resolveWorkload(one.document, { baseDirectory: folderOf(context, sources, one.file) })),
    pools: documents.filter(({ kind }) => kind === 'NodePool').map((one) => resolveNodePool(one.document)),
    clusters: documents.filter(({ kind }) => kind === 'Cluster').map((one) => resolveCluster(one.document)),
  };
  if (found.workloads.length === 0) {
    throw new Failure('usage', `there is no Workload among ${countText(documents.length, 'document')}.`);
  }
  const jobs = documents.filter(({ kind }) => kind === 'ScaledJob').length;
  if (jobs > 0) context.note(`${countText(jobs, 'ScaledJob')} left aside: only replicas are placed`);
  return found;
}

function folderOf({ workingDirectory }: EbbContext, sources: readonly SourceText[], name: string): string {
  const path = sources.find((source) => source.name === name)?.path ?? null;
  return path === null ? workingDirectory : dirname(path);
}

/** The plan, made in a thread of its own; one that breaks a rule is never shown. */
async function planned(context: EbbContext, input: PlacementInput, flags: PlanFlags): Promise<Plan> {
  const planner = openPlanner();
  const progress = planningLine(context, input);
  try {
    const workUnits = flags.budgetUnits ?? workUnitsOf(flags.time ?? defaultTimeMs);
    const found = await planner.plan({ input, seed: flags.seed ?? 1, workUnits, solver: flags.solver ?? 'highs' });
    const wrong = checkPlan(input, found);
    if (wrong.length > 0) throw new Error(`the plan breaks a rule: ${wrong.slice(0, 3).join('; ')}`);
    return found;
  } finally {
    progress.end();
    await planner.close();
  }
}
