import type { Colors } from '../text/colors.ts';
import { countText, moneyText } from '../text/format.ts';
import { table } from '../text/table.ts';
import type { ClassMachines, MachinePlan } from './machines.ts';

interface Row {
  name: string;
  by: 'now' | 'recommended';
  found: MachinePlan | { problem: string };
}

/** Which machines the replicas of each class need by its requests, now and as recommended. */
export function machineLines(machines: readonly ClassMachines[] | null, currency: string, colors: Colors): string[] {
  const { dim } = colors;
  if (machines === null) return [dim('  --cloud NAME --region NAME show which machines that takes.'), ''];
  const rows = machines.flatMap(({ class: name, now, suggested }): Row[] => [
    { name, by: 'now', found: now },
    ...(suggested ? [{ name: '', by: 'recommended' as const, found: suggested }] : []),
  ]);
  const price = (micro: number) => moneyText(micro, currency);
  const columns = [
    { title: 'class', value: ({ name }: Row) => name },
    { title: 'requests', value: ({ by }: Row) => by },
    { title: 'machines', value: ({ found }: Row) => ('problem' in found ? found.problem : nodesText(found)) },
    {
      title: 'an hour',
      align: 'right' as const,
      value: ({ found }: Row) => ('problem' in found ? '-' : price(found.pricePerHourMicro)),
    },
    {
      title: 'a replica',
      align: 'right' as const,
      value: ({ found }: Row) => ('problem' in found ? '-' : price(found.perReplicaMicro)),
    },
  ];
  const counts = new Set(machines.map(({ replicas }) => replicas));
  const [only] = counts.size === 1 ? counts : [];
  const title =
    only === undefined ? 'the cheapest machines for them' : `the cheapest machines for ${countText(only, 'replica')}`;
  return [dim(`  ${title}`), ...table(columns, rows).map((line) => `  ${line}`), ''];
}

function nodesText({ nodes }: MachinePlan): string {
  return nodes
    .map(({ count, instanceType, capacityType, replicas }) => {
      const kind = capacityType === 'on-demand' ? '' : ` ${capacityType}`;
      return `${count} x ${instanceType}${kind} (${countText(replicas, 'replica')}${count > 1 ? ' each' : ''})`;
    })
    .join(', ');
}
