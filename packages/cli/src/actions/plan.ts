import { catalogueCurrency } from '@ebb/catalogue';
import { checkPlan, consolidate, type ExistingNode, placementInputOf, type PlacementInput, type Plan } from '@ebb/core';
import { defaultCluster, resolveWorkload, type WorkloadSpec } from '@ebb/documents';
import { openPlanner, openSolver, workUnitsOf } from '@ebb/solver';
import { dirname } from 'node:path';
import type { PlanFlags } from '../commands/plan.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { readSources, type SourceText } from '../files.ts';
import { loadOfferings } from '../instances/load.ts';
import { Interrupts } from '../interrupts.ts';
import { agrees } from '../nodes/agree.ts';
import { type NodeDocuments, nodeDocuments } from '../nodes/documents.ts';
import { Machines, providerToRent } from '../nodes/machines.ts';
import { listedNodes, readNodeFiles } from '../nodes/nodeFile.ts';
import { asNodes, checkApplicable, type Launched, rentAll } from '../plan/apply.ts';
import { type Asked, prepare, type Prepared, shortPoolName } from '../plan/asked.ts';
import { consolidationJson, consolidationLines } from '../plan/consolidationView.ts';
import { type PlanView, planView } from '../plan/planView.ts';
import { offeringsOfOwn, withOwnMachines } from '../plan/ownMachines.ts';
import { planningLine } from '../plan/progress.ts';
import { replicasAsked } from '../plan/replicasAsked.ts';
import { planJson, planLines } from '../plan/render.ts';
import { rentedJson, rentedLines } from '../plan/rented.ts';
import { countText, moneyText } from '../text/format.ts';

const defaultTimeMs = 4000;
/** How often a plan is made anew without what could not be had. */
const mostRounds = 20;

/** What tests put in place of the real ones. */
export type PlanDoubles = Pick<ConstructorParameters<typeof Machines>[1], 'open' | 'clock'>;

export async function plan(context: EbbContext, flags: PlanFlags, doubles: PlanDoubles = {}): Promise<ExitName> {
  checkFlags(flags);
  const replicas = replicasAsked(flags.replicas ?? []);
  const sources = await readSources(context, flags.file);
  const documents = nodeDocuments(context, sources, { json: flags.json ?? false, consequence: 'nothing was planned' });
  const workloads = workloadsOf(context, sources, documents);
  const offerings = [
    ...(await loadOfferings(context, flags.catalogue, flags.factor ?? [])),
    ...offeringsOfOwn(documents),
  ];
  const { pools, clusters } = documents;
  const place = { cloud: flags.cloud ?? null, region: flags.region ?? null };
  const asked: Asked = { workloads, pools, clusters, offerings, replicas, ...place };
  const machines = new Machines(context, { ...documents, data: flags.data, ...doubles });
  try {
    const [first] = clusters;
    // Said before a plan is made that could not be carried out.
    const rented = machines.rented();
    for (const one of rented.length > 0 ? rented : [first]) {
      if (flags.apply || flags.existing) providerToRent(one?.key.name ?? defaultCluster, one);
    }
    const nodes = await nodesOf(context, flags, asked, machines);
    if (flags.consolidate) return await consolidated(context, flags, asked, nodes);
    if (flags.apply) return await applied(context, flags, asked, nodes, machines);
    return nodes.length > 0 ? await overNodes(context, flags, asked, nodes) : await fromNothing(context, flags, asked);
  } finally {
    await machines.close();
  }
}

function checkFlags(flags: PlanFlags): void {
  if (flags.budgetUnits !== undefined && flags.time !== undefined) {
    throw new Failure('usage', '--budget-units and --time both bound the work; give one of them.');
  }
  if (flags.apply && flags.consolidate) {
    throw new Failure('usage', '--apply rents what a plan buys; what --consolidate finds is not carried out by hand.');
  }
  if (flags.consolidate && flags.nodes === undefined && !flags.existing) {
    throw new Failure('usage', '--consolidate needs the nodes that are there: --nodes FILE, or --existing.');
  }
  if (flags.apply && (flags.cloud !== undefined || flags.region !== undefined)) {
    throw new Failure('usage', '--apply rents where the Clusters are; --cloud and --region are for looking only.');
  }
}

async function fromNothing(context: EbbContext, flags: PlanFlags, asked: Asked): Promise<ExitName> {
  const { input: bare, groups, notes, problems } = placementInputOf({ ...asked, currency: catalogueCurrency });
  const [first, ...rest] = problems;
  if (first !== undefined) throw new Failure('usage', first, rest);
  const input = withOwnMachines(bare, asked, []);
  const found = await planned(context, input, flags);
  return show(context, flags, { view: planView(input, groups, found), found, notes });
}

async function overNodes(
  context: EbbContext,
  flags: PlanFlags,
  asked: Asked,
  nodes: readonly ExistingNode[],
): Promise<ExitName> {
  const prepared = prepare(asked, nodes);
  const found = await planned(context, prepared.input, flags);
  return show(context, flags, { view: viewOf(asked, prepared, found), found, notes: prepared.notes });
}

interface Shown {
  view: PlanView;
  found: Plan;
  notes: readonly string[];
}

function show(context: EbbContext, { json }: PlanFlags, { view, found, notes }: Shown): ExitName {
  tellNotes(context, notes);
  if (json) context.json(planJson(view, found, catalogueCurrency, notes));
  else context.out(...planLines(context, view, found, catalogueCurrency));
  return found.unplaceable.length === 0 ? 'ok' : 'failed';
}

function tellNotes(context: EbbContext, notes: readonly string[]): void {
  for (const note of notes) context.note(context.errorColors.dim(note));
}

function viewOf({ pools }: Asked, prepared: Prepared, found: Plan): PlanView {
  const view = planView(prepared.input, prepared.groups, found);
  return { ...view, nodes: view.nodes.map((node) => ({ ...node, pool: shortPoolName(pools, node.pool) })) };
}

async function consolidated(
  context: EbbContext,
  flags: PlanFlags,
  asked: Asked,
  nodes: readonly ExistingNode[],
): Promise<ExitName> {
  const prepared = prepare(asked, nodes);
  tellNotes(context, prepared.notes);
  const { running, pools, input } = prepared;
  const solver = await openSolver(flags.solver ?? 'highs');
  const found = consolidate(
    {
      ...{ nowMs: 0, nodes: running, pools, settings: input.settings },
      gain: { minPerHourMicro: 0, minShare: 0, paybackMs: 3_600_000 },
    },
    { solver, workUnits: flags.budgetUnits ?? workUnitsOf(flags.time ?? defaultTimeMs) },
  );
  if (flags.json) context.json(consolidationJson(prepared, found, catalogueCurrency, prepared.notes));
  else context.out(...consolidationLines(context, prepared, found, catalogueCurrency));
  return 'ok';
}

/** Rents what is missing; where something cannot be had, the rest is planned anew without it. */
async function applied(
  context: EbbContext,
  flags: PlanFlags,
  asked: Asked,
  nodes: readonly ExistingNode[],
  machines: Machines,
): Promise<ExitName> {
  const launched: Launched[] = [];
  const short = new Set<string>();
  let shown: Shown | null = null;
  let exit: ExitName | null = null;
  for (let round = 1; exit === null && round <= mostRounds; round++) {
    const prepared = without(prepare(asked, [...nodes, ...asNodes(launched)]), short);
    const found = await planned(context, prepared.input, flags);
    await checkApplicable(found, prepared, asked.pools, machines);
    if (shown === null) {
      shown = { view: viewOf(asked, prepared, found), found, notes: prepared.notes };
      tellNotes(context, shown.notes);
      if (!flags.json) context.out(...planLines(context, shown.view, found, catalogueCurrency));
    } else context.note(`planned anew without ${[...short].join(', ')}`);
    const all = found.unplaceable.length === 0 ? 'ok' : 'failed';
    if (found.buy.length === 0) exit = all;
    else if (await isAgreed(context, flags, found)) {
      const results = await rentedNow(context, found, prepared, asked, machines);
      launched.push(...results);
      for (const { state, offering } of results) if (state === 'short') short.add(offering.id);
      exit = exitOf(results, all);
    } else exit = 'failed';
  }
  if (flags.json && shown !== null) {
    context.json({ ...rentedJson(launched), plan: planJson(shown.view, shown.found, catalogueCurrency, shown.notes) });
  } else if (launched.length > 0) context.out('', ...rentedLines(launched, catalogueCurrency));
  return exit ?? 'failed';
}

/** Null: something could not be had, and another plan may do without it. */
function exitOf(results: readonly Launched[], otherwise: ExitName): ExitName | null {
  const states = new Set(results.map(({ state }) => state));
  if (states.has('left')) return 'interrupted';
  if (states.has('failed')) return 'failed';
  return states.has('short') ? null : otherwise;
}

async function isAgreed(context: EbbContext, { yes }: PlanFlags, { buy, pricePerHourMicro }: Plan): Promise<boolean> {
  const what = `${countText(buy.length, 'machine')} for ${moneyText(pricePerHourMicro, catalogueCurrency)} an hour`;
  if (yes || (await agrees(context, `Rent ${what}?`))) return true;
  context.note('not rented');
  return false;
}

/** Ctrl-C leaves what was asked for as it is, and tells of it. */
async function rentedNow(
  context: EbbContext,
  found: Plan,
  prepared: Prepared,
  { pools }: Asked,
  machines: Machines,
): Promise<Launched[]> {
  const interrupts = new Interrupts();
  try {
    return await rentAll(context, found, prepared, { pools, machines, stop: interrupts.stop });
  } finally {
    interrupts.dispose();
  }
}

/** Leaves out of all pools what could not be had. */
function without(prepared: Prepared, short: ReadonlySet<string>): Prepared {
  const { input } = prepared;
  const pools = input.pools.map((pool) => ({
    ...pool,
    offerings: pool.offerings.map((entry) =>
      short.has(entry.offering.id) ? { ...entry, backedOffUntilMs: Number.MAX_SAFE_INTEGER } : entry,
    ),
  }));
  return { ...prepared, input: { ...input, pools } };
}

async function nodesOf(
  context: EbbContext,
  flags: PlanFlags,
  { workloads }: Asked,
  machines: Machines,
): Promise<ExistingNode[]> {
  const names = workloads.map(({ key }) => key.name);
  const written = flags.nodes === undefined ? [] : await readNodeFiles(context, flags.nodes, names);
  if (!flags.existing) return written;
  const listed = listedNodes(await machines.list());
  const known = new Set(written.map(({ id }) => id));
  const empty = listed.filter(({ id }) => !known.has(id));
  if (empty.length > 0) {
    context.note(
      `${countText(empty.length, 'machine')} of the providers count as empty: --nodes says what runs on them`,
    );
  }
  return [...written, ...empty];
}

function workloadsOf(
  context: EbbContext,
  sources: readonly SourceText[],
  { documents }: NodeDocuments,
): WorkloadSpec[] {
  const workloads = documents
    .filter(({ kind }) => kind === 'Workload')
    .map((one) => resolveWorkload(one.document, { baseDirectory: folderOf(context, sources, one.file) }));
  if (workloads.length === 0) {
    throw new Failure('usage', `there is no Workload among ${countText(documents.length, 'document')}.`);
  }
  const jobs = documents.filter(({ kind }) => kind === 'ScaledJob').length;
  if (jobs > 0) context.note(`${countText(jobs, 'ScaledJob')} left aside: only replicas are placed`);
  return workloads;
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
