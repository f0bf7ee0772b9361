import { hoursPerMonth, type Plan, unplaceableSentence } from '@ebb/core';
import type { EbbContext } from '../context.ts';
import { gpuText, offeringJson, sizeText, zoneText } from '../instances/render.ts';
import { countText, moneyText } from '../text/format.ts';
import { type Column, table } from '../text/table.ts';
import type { PlanView } from './planView.ts';

type Rows = PlanView['nodes'][number];

/** A plan for people: nodes, what has no place, totals with the bound, and each workload's price. */
export function planLines(context: EbbContext, view: PlanView, plan: Plan, currency: string): string[] {
  const { dim } = context.colors;
  const headed = ([head = '', ...rows]: string[]) => [dim(head), ...rows];
  return [
    ...(view.bound.length > 0 ? [...headed(boundTable(view.bound)), ''] : []),
    ...(view.nodes.length > 0 ? [...headed(nodeTable(view.nodes, currency)), ''] : []),
    ...unplaceableLines(context, view),
    ...(view.workloads.length > 0 ? [...headed(workloadTable(view.workloads, currency)), ''] : []),
    ...totalLines(view, plan, currency),
  ];
}

function nodeTable(nodes: Rows[], currency: string): string[] {
  const columns: Column<Rows>[] = [
    { title: 'nodes', align: 'right', value: ({ count }) => String(count) },
    { title: 'instance', value: ({ offering }) => offering.instanceType.name },
    { title: 'vcpu', align: 'right', value: ({ offering }) => String(offering.instanceType.cpuMilli / 1000) },
    { title: 'memory', align: 'right', value: ({ offering }) => sizeText(offering.instanceType.memoryBytes) },
    { title: 'gpu', value: ({ offering }) => gpuText(offering.instanceType.gpu) },
    { title: 'zone', value: ({ offering }) => zoneText(offering.zone) },
    { title: 'capacity', value: ({ offering }) => offering.capacityType },
    { title: 'pool', value: ({ pool }) => pool },
    { title: `${currency}/h each`, align: 'right', value: ({ offering }) => decimal(offering.pricePerHourMicro) },
    {
      title: `${currency}/h`,
      align: 'right',
      value: ({ count, offering }) => decimal(count * offering.pricePerHourMicro),
    },
    {
      title: 'runs on each',
      value: ({ runs }) => sharesText(runs),
    },
  ];
  return table(columns, nodes);
}

function boundTable(bound: PlanView['bound']): string[] {
  const columns: Column<PlanView['bound'][number]>[] = [
    { title: 'node', value: ({ node }) => node },
    { title: 'instance', value: ({ instance }) => instance },
    { title: 'gets', value: ({ runs }) => sharesText(runs) },
  ];
  return table(columns, [...bound]);
}

function unplaceableLines({ colors }: EbbContext, { unplaceable }: PlanView): string[] {
  if (unplaceable.length === 0) return [];
  const lines = unplaceable.map(
    ({ name, count, reason }) => `  ${name} (${countText(count, 'replica')}): ${unplaceableSentence(reason)}`,
  );
  return [colors.red('no place for'), ...lines, ''];
}

function workloadTable(workloads: PlanView['workloads'], currency: string): string[] {
  const columns: Column<PlanView['workloads'][number]>[] = [
    { title: 'workload', value: ({ name }) => name },
    { title: 'replicas', align: 'right', value: ({ count }) => String(count) },
    { title: 'placed', align: 'right', value: ({ placed }) => String(placed) },
    {
      title: `${currency}/h for one more`,
      align: 'right',
      value: ({ pricePerHourMicro }) => (pricePerHourMicro === null ? '' : decimal(pricePerHourMicro)),
    },
  ];
  return table(columns, [...workloads]);
}

function totalLines({ nodes }: PlanView, plan: Plan, currency: string): string[] {
  const count = nodes.reduce((sum, group) => sum + group.count, 0);
  if (count === 0) return ['nothing to buy'];
  const { pricePerHourMicro: price, costPerHourMicro: cost, lowerBoundMicro } = plan;
  const money = (micro: number) => moneyText(micro, currency);
  const month = `${money(price * hoursPerMonth)} a month of ${hoursPerMonth} hours`;
  const total = `${countText(count, 'node')}: ${money(price)} an hour, ${month}`;
  const beside = cost === price ? '' : ` With start-up and wishes that are missed it counts as ${money(cost)}.`;
  const bound =
    lowerBoundMicro === 0
      ? 'How far from the cheapest possible it is cannot be told.'
      : `No plan for what has a place costs less than ${money(lowerBoundMicro)}: this one is ${gapText(plan)}.`;
  const guessed = plan.solver === null ? ' Prices were guessed: the bound is weak.' : '';
  return [total, bound + beside + guessed];
}

function gapText({ gap }: Plan): string {
  if (gap === 0) return 'the cheapest possible';
  // Up, never down: it says how much at most.
  return `at most ${Math.ceil((gap ?? 0) * 1000) / 10} % above the cheapest possible`;
}

const sharesText = (runs: Rows['runs']): string =>
  runs.map(({ name, count }) => (count === 1 ? name : `${count} x ${name}`)).join(', ');
const decimal = (micro: number): string => (micro / 1e6).toFixed(4);

/** The same for a machine, with the names of the core; counted, not rounded. */
export function planJson(view: PlanView, plan: Plan, currency: string, notes: readonly string[]) {
  const { pricePerHourMicro, costPerHourMicro, lowerBoundMicro, gap, foundBy, solver, workUnits } = plan;
  return {
    ...{ currency, pricePerHourMicro, pricePerMonthMicro: pricePerHourMicro * hoursPerMonth, costPerHourMicro },
    ...{ lowerBoundMicro, gap, foundBy, solver, workUnits },
    nodes: view.nodes.map(({ count, pool, offering, runs }) => ({
      count,
      pool,
      offering: offeringJson(offering),
      runs,
    })),
    ...(view.bound.length > 0 ? { bound: view.bound } : {}),
    unplaceable: view.unplaceable.map((one) => ({ ...one, sentence: unplaceableSentence(one.reason) })),
    workloads: view.workloads,
    notes,
  };
}
