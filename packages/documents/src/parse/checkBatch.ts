import { scaleConflicts } from '../keda/scaleConflicts.ts';
import { keyText } from '../objectKey.ts';
import type { Problem } from '../problem.ts';
import type { ProblemCode } from '../problemCodes.ts';
import { resolveRoutes } from '../workload/resolve.ts';
import { routeText } from '../workload/route.ts';
import { workloadKind } from '../workload/workload.ts';
import type { ParsedDocument } from './parseDocuments.ts';
import { ProblemList } from './problemList.ts';
import { readDocument } from './readDocument.ts';

/**
 * What is wrong between documents that are applied together, perhaps from several files: the same object twice, one route
 * for two workloads, or one target that two would scale. Every document is right by itself.
 */
export function checkBatch(documents: readonly ParsedDocument[]): Problem[] {
  const problems = new ProblemList();
  const objects = new Map<string, ParsedDocument>();
  const routes = new Map<string, ParsedDocument>();
  for (const document of documents) {
    const identity = `${document.kind} ${keyText(document.key)}`;
    const twin = objects.get(identity);
    if (twin) {
      problems.add(() => conflict(document, 'metadata.name', 'duplicate-object', `${identity} is there twice`, twin));
      continue;
    }
    objects.set(identity, document);
    if (document.kind !== 'Workload') continue;
    const read = readDocument(workloadKind, document.document);
    for (const [index, route] of resolveRoutes(read).entries()) {
      const identity = `${document.key.cluster} ${routeText(route)}`;
      const owner = routes.get(identity);
      if (owner === undefined) routes.set(identity, document);
      else if (owner !== document) {
        const path = read.spec.serving.routes ? `spec.serving.routes[${index}]` : 'metadata.name';
        const message = `the route ${routeText(route)} already belongs to the workload "${owner.key.name}"`;
        problems.add(() => conflict(document, path, 'route-conflict', message, owner));
      }
    }
  }
  for (const { document, path, message, other } of scaleConflicts(documents)) {
    problems.add(() => conflict(document, path, 'scale-conflict', message, other));
  }
  return problems.shown();
}

function conflict(
  document: ParsedDocument,
  path: string,
  code: ProblemCode,
  message: string,
  other: ParsedDocument,
): Problem {
  const at = other.placeOf('metadata.name');
  return {
    severity: 'error',
    code,
    message: `${message}; the other one is at ${other.file}:${at.line}:${at.column}`,
    file: document.file,
    ...document.placeOf(path),
    path,
    related: [{ path: 'metadata.name', ...at, ...(other.file === document.file ? {} : { file: other.file }) }],
  };
}
