import type { ReadCluster } from '@ebb/kubernetes';
import type { ImportedCluster } from './importCluster.ts';
import type { Fate } from './translated.ts';

const mostRehearsed = 20;

/** Names of the Workloads that the rehearsal's made-up load is for. */
export function rehearsedNames({ files }: Pick<ImportedCluster, 'files'>): string[] {
  const names = files.flatMap(({ path, text }) => {
    if (!path.startsWith('workloads/')) return [];
    return /^ {2}name: (\S+)$/m.exec(text)?.[1] ?? [];
  });
  return [...new Set(names)].sort().slice(0, mostRehearsed);
}

/**
 * A day of requests a minute for each Workload, made up: a quiet night, two peaks, and a burst at noon. Each has its own
 * size and shift, by its place in the list and nothing else.
 */
export function madeUpLoad(names: readonly string[]): string {
  const lines = ['workload,minute,requests'];
  for (const [index, name] of names.entries()) {
    const size = 3 + 2 * (index % 5);
    for (let minute = 0; minute < 1440; minute++) {
      const hour = ((minute + 37 * index) % 1440) / 60;
      const day = hour < 6 ? 0 : Math.sin((Math.PI * (hour - 6)) / 18) + 0.5 * Math.sin((Math.PI * (hour - 6)) / 6);
      const burst = minute >= 720 && minute < 730 ? 3 : 1;
      const requests = Math.round(Math.max(0, day) * size * burst);
      if (requests > 0) lines.push(`${name},${minute},${requests}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** What was read, what became of it, and how to go on. */
export function readmeText(cluster: ReadCluster, imported: ImportedCluster, folder: string): string {
  const { fates, files } = imported;
  const of = (result: Fate['result']) => fates.filter((fate) => fate.result === result);
  const names = rehearsedNames(imported);
  const hasWorkloads = files.some(({ path }) => path.startsWith('workloads/'));
  return [
    '# What Ebb made of a cluster',
    '',
    `${fates.length} objects were read; ${of('taken').length} are taken as they are, ${of('translated').length} are translated, ` +
      `${of('left aside').length} are left aside. Nothing in the cluster was changed, and no Secret was read.`,
    '',
    ...section('Taken as they are', of('taken')),
    ...section('Translated', of('translated')),
    ...section('Left aside', of('left aside')),
    ...(cluster.missing.length > 0 ? ['## Not in this cluster', '', cluster.missing.join(', '), ''] : []),
    ...(cluster.forbidden.length > 0
      ? [
          '## Not read',
          '',
          ...cluster.forbidden.map(({ kind, right }) => `* ${kind}: this user lacks the right to ${right}`),
          '',
        ]
      : []),
    '## How to go on',
    '',
    '```',
    `ebb validate -f ${folder}`,
    ...(hasWorkloads
      ? [
          `ebb rehearse -f ${folder}/workloads --trace ${folder}/rehearsal/load.csv`,
          `ebb rehearse -f ${folder}/workloads --prometheus http://127.0.0.1:9090 --query 'sum by (workload) (rate(http_requests_total[1m]))'`,
        ]
      : []),
    'ebb operator --advice',
    '```',
    '',
    ...(names.length > 0
      ? [
          `\`rehearsal/load.csv\` is made up: a day of requests for ${names.join(', ')}. What it says of money is of that day; ` +
            'put your own load in its place (docs/rehearsal.md), or ask a Prometheus.',
          '',
        ]
      : []),
    'Advice decides in the cluster beside what is in charge, and writes to no target (docs/kubernetes-migration.md).',
    '',
  ].join('\n');
}

function section(title: string, fates: readonly Fate[]): string[] {
  if (fates.length === 0) return [];
  return [
    `## ${title}`,
    '',
    ...fates.flatMap(({ object, files, notes }) => [
      `* ${object}${files.length > 0 ? ` → ${files.join(', ')}` : ''}`,
      ...notes.map((note) => `  * ${note}`),
    ]),
    '',
  ];
}
