import { type Places, placementRefusal } from '../workload/placementRefusal.ts';
import { resolveWorkload } from '../workload/resolve.ts';
import type { Problem } from '../problem.ts';
import type { ParsedDocument } from './parseDocuments.ts';

/**
 * Workloads that would be refused on one machine, because of where they are placed. A warning where documents are only
 * looked at, an error where they are to be applied.
 */
export function placementProblems(
  documents: readonly ParsedDocument[],
  places: Places,
  severity: Problem['severity'],
): Problem[] {
  return documents.flatMap((document): Problem[] => {
    if (document.kind !== 'Workload') return [];
    const refusal = placementRefusal(resolveWorkload(document.document, { baseDirectory: '/' }), places);
    if (!refusal) return [];
    const { path, message } = refusal;
    return [{ severity, code: 'mode-not-available', message, file: document.file, ...document.placeOf(path), path }];
  });
}
