import type { AnyScaler, TriggerValues } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { readSettings } from '../contract/readSettings.ts';
import type { ScalerContext, TriggerSource } from '../contract/source.ts';

export type { TriggerValues };

/** Reads the settings and opens the source. Throws `SourceError` naming everything that is wrong with them. */
export function openTrigger(definition: AnyScaler, values: TriggerValues, context: ScalerContext): TriggerSource {
  const { settings, problems } = readSettings(definition.parameters, values);
  const all =
    problems.length > 0
      ? problems
      : (definition.check?.(settings, { ...values, identity: values.identity ?? null }) ?? []);
  const errors = all.filter(({ severity }) => severity !== 'warning');
  if (errors.length > 0) throw new SourceError('bad-setting', errors.map(({ message }) => message).join('; '));
  const source = definition.open(settings, context, values);
  // KEDA's `timeout` of a trigger, in milliseconds: the client gives up first, and this only makes room for it.
  const { timeout } = settings;
  if (typeof timeout === 'number' && timeout > context.timeoutMs) source.timeoutMs = timeout + 500;
  return source;
}
