import type { NodeStatus } from '@ebb/documents';
import { ageText, moneyText } from '../text/format.ts';
import type { Column } from '../text/table.ts';

/** The columns of `ebb get nodes`. */
export function nodeColumns({ wide, nowMs }: { wide: boolean; nowMs: number }): Column<NodeStatus>[] {
  const text = (title: string, value: (node: NodeStatus) => string): Column<NodeStatus> => ({ title, value });
  return [
    text('name', ({ id }) => id),
    text('cluster', ({ cluster }) => cluster),
    text('pool', ({ pool }) => pool),
    text('machine', ({ instanceType }) => instanceType),
    text('zone', ({ zone }) => zone),
    text('rented', ({ capacityType }) => capacityType),
    text('phase', ({ phase }) => phase),
    { title: 'price/h', align: 'right', value: (node) => moneyText(node.pricePerHourMicro, node.currency) },
    { title: 'set aside', align: 'right', value: setAsideText },
    { title: 'replicas', align: 'right', value: ({ replicas }) => String(replicas.length) },
    { title: 'age', align: 'right', value: ({ askedAt }) => ageText(nowMs - askedAt) },
    ...(wide ? [text('provider id', ({ providerId }) => providerId ?? '-')] : []),
    ...(wide ? [text('message', ({ message }) => message || '-')] : []),
  ];
}

/** The fullest of processors, memory and GPUs, and which that is. */
function setAsideText({ allocatable, setAside }: NodeStatus): string {
  const parts = [
    { name: 'cpu', share: shareOf(setAside.cpuMilli, allocatable.cpuMilli) },
    { name: 'memory', share: shareOf(setAside.memoryBytes, allocatable.memoryBytes) },
    { name: 'gpu', share: shareOf(setAside.gpuMilli, allocatable.gpuMilli) },
  ];
  const fullest = parts.reduce((most, part) => (part.share > most.share ? part : most));
  return fullest.share === 0 ? '0%' : `${Math.round(fullest.share * 100)}% ${fullest.name}`;
}

function shareOf(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
