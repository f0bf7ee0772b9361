import type { KedaTriggerSpec } from '@ebb/documents';
import type { AnyScaler } from './definition.ts';

/** Triggers of an object with a formula: what each aims at by itself does not count, and some may leave it out. */
export function asFormulaSources<Trigger extends Pick<KedaTriggerSpec, 'type' | 'metadata'>>(
  triggers: readonly Trigger[],
  find: (type: string) => AnyScaler | undefined,
): Trigger[] {
  return triggers.map((trigger) => {
    const parameter = find(trigger.type)?.formulaTarget;
    if (parameter === undefined || Object.hasOwn(trigger.metadata, parameter)) return trigger;
    return { ...trigger, metadata: { ...trigger.metadata, [parameter]: '1' } };
  });
}
