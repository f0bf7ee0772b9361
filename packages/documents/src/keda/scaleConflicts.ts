import { resolveHpa } from '../hpa/resolve.ts';
import { keyText } from '../objectKey.ts';
import type { ParsedDocument } from '../parse/parseDocuments.ts';
import { resolveScaledObject } from './resolveScaledObject.ts';

/** Two documents that want to set the number of replicas of one target, as KEDA's admission would refuse it. */
export interface ScaleConflict {
  document: ParsedDocument;
  /** Where `document` names it. */
  path: string;
  message: string;
  /** Which has it already. */
  other: ParsedDocument;
}

/** Conflicts within one batch. The documents are right by themselves. */
export function scaleConflicts(documents: readonly ParsedDocument[]): ScaleConflict[] {
  const targets = new Map<string, ParsedDocument>();
  const hpas = new Map<string, ParsedDocument>();
  const conflicts: ScaleConflict[] = [];
  const objects = documents.flatMap((document) =>
    document.kind === 'ScaledObject' ? [{ document, spec: resolveScaledObject(document.document) }] : [],
  );
  for (const { document, spec } of objects) {
    const target = keyText({ ...spec.key, name: spec.target.name });
    const hpa = keyText({ ...spec.key, name: spec.hpaName });
    const [owner, namesake] = [targets.get(target), hpas.get(hpa)];
    if (owner && keyText(owner.key) !== keyText(spec.key)) {
      const message = `"${spec.target.name}" is scaled by the ScaledObject "${owner.key.name}" already`;
      conflicts.push({ document, path: 'spec.scaleTargetRef.name', message, other: owner });
    } else if (namesake && keyText(namesake.key) !== keyText(spec.key)) {
      const path = 'spec.advanced.horizontalPodAutoscalerConfig.name';
      const message = `the HPA name "${spec.hpaName}" is that of the ScaledObject "${namesake.key.name}" already`;
      conflicts.push({ document, path, message, other: namesake });
    }
    targets.set(target, owner ?? document);
    hpas.set(hpa, namesake ?? document);
  }
  for (const document of documents) {
    if (document.kind !== 'HorizontalPodAutoscaler' || isLeftAlone(document.document)) continue;
    const { key, target } = resolveHpa(document.document);
    const found = objects.find(
      ({ spec }) => keyText({ ...spec.key, name: spec.target.name }) === keyText({ ...key, name: target.name }),
    );
    // The HPA that KEDA itself has made, or is to take over, may be among exported files.
    if (!found || found.spec.hpaName === key.name) continue;
    const message = `"${target.name}" is scaled by the ScaledObject "${found.document.key.name}" and by this HorizontalPodAutoscaler`;
    conflicts.push({ document, path: 'spec.scaleTargetRef.name', message, other: found.document });
  }
  return conflicts;
}

/** As KEDA's admission reads it: an HPA that says so may stand beside a ScaledObject. */
function isLeftAlone(document: { metadata: { annotations?: Record<string, string> | undefined } }): boolean {
  return document.metadata.annotations?.['validations.keda.sh/hpa-ownership'] === 'false';
}
