import type { NodeObservation } from '@ebb/core';
import type { NodeEndFlags, NodeFlags } from '../commands/node.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { readSources } from '../files.ts';
import { zoneText } from '../instances/render.ts';
import { agrees } from '../nodes/agree.ts';
import { nodeDocuments } from '../nodes/documents.ts';
import { Machines } from '../nodes/machines.ts';
import { didYouMean } from '../suggest.ts';
import { ageText, countText } from '../text/format.ts';
import { type Column, table } from '../text/table.ts';

export async function nodeList(context: EbbContext, flags: NodeFlags): Promise<ExitName> {
  return await withMachines(context, flags, async (machines) => {
    const nodes = await machines.list();
    if (flags.json) context.json({ kind: 'MachineList', items: nodes });
    else if (nodes.length === 0) context.note('no machines');
    else {
      const [head = '', ...rows] = table(columns(machines.clock.nowMs()), nodes);
      context.out(context.colors.dim(head), ...rows);
    }
    return 'ok';
  });
}

export async function nodeEnd(context: EbbContext, flags: NodeEndFlags, ...names: string[]): Promise<ExitName> {
  return await withMachines(context, flags, async (machines) => {
    const nodes = await machines.list();
    const ends = [...new Set(names)].map((name) => found(nodes, name));
    const what = countText(ends.length, 'machine');
    if (!flags.yes && !(await agrees(context, `End ${what}: ${ends.map(nameOf).join(', ')}?`))) {
      context.note('nothing was ended');
      return 'failed';
    }
    for (const node of ends) {
      await machines.end(node);
      if (!flags.json) context.out(`${nameOf(node)} is ending`);
    }
    if (flags.json) context.json({ ended: ends.map(({ id, providerId, cluster }) => ({ id, providerId, cluster })) });
    return 'ok';
  });
}

async function withMachines(
  context: EbbContext,
  flags: NodeFlags,
  act: (machines: Machines) => Promise<ExitName>,
): Promise<ExitName> {
  const sources = await readSources(context, flags.file);
  const found = nodeDocuments(context, sources, { json: flags.json ?? false, consequence: 'nothing was asked' });
  const machines = new Machines(context, { ...found, data: flags.data });
  try {
    if (machines.rented().length === 0) {
      const names = found.clusters.map(({ key }) => key.name);
      const what =
        names.length === 0
          ? 'there is no Cluster among the documents'
          : `no machines are rented for ${names.join(', ')}`;
      throw new Failure('usage', `${what}.`, ['a Cluster of type rehearsal or kubernetes rents them']);
    }
    return await act(machines);
  } finally {
    await machines.close();
  }
}

const nameOf = ({ id, providerId }: NodeObservation): string => id ?? providerId ?? '';

function found(nodes: readonly NodeObservation[], name: string): NodeObservation {
  const node = nodes.find((one) => one.id === name || one.providerId === name);
  if (node) return node;
  const names = nodes.map(nameOf);
  throw new Failure('failed', `there is no machine "${name}".${didYouMean(name, names)}`, ['nothing was ended']);
}

function columns(nowMs: number): Column<NodeObservation>[] {
  const text = (title: string, value: (node: NodeObservation) => string): Column<NodeObservation> => ({ title, value });
  return [
    text('name', nameOf),
    text('cluster', ({ cluster }) => cluster),
    text('pool', ({ pool }) => pool?.split('/').at(-1) ?? '-'),
    text('machine', ({ offering }) => offering.instanceType),
    text('zone', ({ offering }) => zoneText(offering.zone)),
    text('rented', ({ offering }) => offering.capacityType),
    text('phase', ({ phase, notice }) => (notice ? `${phase}, ${notice.kind}` : phase)),
    text('age', ({ askedAtMs }) => (askedAtMs === null ? '-' : ageText(nowMs - askedAtMs))),
    text('message', ({ message }) => message),
  ];
}
