import type { AnyScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { readSettings } from '../contract/readSettings.ts';
import type { ScalerContext, TriggerSource } from '../contract/source.ts';

export interface TriggerValues {
  metadata: Readonly<Record<string, string>>;
  /** What the trigger's authentication gives. */
  auth: Readonly<Record<string, string>>;
  /** Environment of the target's container. */
  env: Readonly<Record<string, string>>;
}

/** Reads the settings and opens the source. Throws `SourceError` naming everything that is wrong with them. */
export function openTrigger(definition: AnyScaler, values: TriggerValues, context: ScalerContext): TriggerSource {
  const { settings, problems } = readSettings(definition.parameters, values);
  const all = problems.length > 0 ? problems : (definition.check?.(settings, values) ?? []);
  const errors = all.filter(({ severity }) => severity !== 'warning');
  if (errors.length > 0) throw new SourceError('bad-setting', errors.map(({ message }) => message).join('; '));
  return definition.open(settings, context);
}
