import type { ClassRecommendation } from '@ebb/client';
import { formatMilli } from '@ebb/documents';

const mebibyte = 1024 * 1024;

/** Lines of YAML with the suggested resources of each class; null where there is too little to suggest any. */
export function patchLines(classes: ClassRecommendation[]): string[] | null {
  const known = classes.filter(({ suggested }) => suggested !== null);
  if (known.length === 0) return null;
  return ['spec:', '  classes:', ...known.flatMap(classLines)];
}

function classLines({ class: name, suggested }: ClassRecommendation): string[] {
  if (!suggested) return [];
  const { requests, limits } = suggested;
  const raised = [
    ...(limits.cpuMilli === undefined ? [] : [`          cpu: ${formatMilli(limits.cpuMilli)}`]),
    ...(limits.memoryBytes === undefined ? [] : [`          memory: ${mebibytes(limits.memoryBytes)}`]),
  ];
  return [
    `    - name: ${name}`,
    '      resources:',
    '        requests:',
    `          cpu: ${formatMilli(requests.cpuMilli)}`,
    `          memory: ${mebibytes(requests.memoryBytes)}`,
    ...(raised.length > 0 ? ['        limits:', ...raised] : []),
  ];
}

/** Whole, and never less than it is: a document is read exactly. */
const mebibytes = (bytes: number): string => `${Math.ceil(bytes / mebibyte)}Mi`;
