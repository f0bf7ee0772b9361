import { clarifaiAnnotations } from './converted.ts';

/** Stands where a program has to be named. */
export const unknownProgram = './your-program';

/**
 * A Workload made from a deployment, with its program: it is no longer kept at zero, unless the deployment is DISABLED.
 * Other documents come back as they are.
 */
export function withProgram(document: Record<string, unknown>, command: readonly string[]): Record<string, unknown> {
  const spec = recordAt(document, 'spec');
  const [first, ...others] = Array.isArray(spec?.classes) ? spec.classes : [];
  if (document.kind !== 'Workload' || !spec || !isRecord(first)) return document;
  const status = recordAt(recordAt(document, 'metadata'), 'annotations')?.[clarifaiAnnotations.status];
  const { paused, ...scaling } = recordAt(spec, 'scaling') ?? {};
  const stays = status === 'DISABLED' && paused !== undefined ? { paused } : {};
  return {
    ...document,
    spec: { ...spec, classes: [{ ...first, command: [...command] }, ...others], scaling: { ...scaling, ...stays } },
  };
}

function recordAt(value: unknown, field: string): Record<string, unknown> | undefined {
  const inner = isRecord(value) ? value[field] : undefined;
  return isRecord(inner) ? inner : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
