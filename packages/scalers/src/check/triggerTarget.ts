import { type TriggerTarget, TriggerTargetError } from '@ebb/core';
import type { KedaTriggerSpec } from '@ebb/documents';
import { findUnavailable } from '../catalogue.ts';
import type { AnyScaler, Parameters, Settings } from '../contract/definition.ts';
import { asFormulaSources } from '../contract/formulaTarget.ts';
import { readSettings } from '../contract/readSettings.ts';
import { findScaler } from '../registry.ts';
import { title, usualTarget } from './usualTarget.ts';

/** What a target is read from. */
export type TriggerText = Pick<KedaTriggerSpec, 'name' | 'type' | 'metadata'>;

/**
 * What a trigger aims at for each replica, and from which value on it is active, from its metadata alone. Null where only
 * its source knows (external scalers). Types that are not available here are read too, so that a decision can be worked
 * out from given readings. Throws `TriggerTargetError`.
 */
export function triggerTargetOf(trigger: TriggerText): TriggerTarget | null {
  const definition = findScaler(trigger.type);
  return definition ? definedTarget(definition, trigger) : usualTarget(trigger, findUnavailable(trigger.type)?.target);
}

/** Targets of all triggers by name, as decisions take them; cpu and memory are left out. Throws `TriggerTargetError`. */
export function triggerTargetsOf(triggers: readonly TriggerText[], hasFormula = false): Record<string, TriggerTarget> {
  const read = hasFormula ? asFormulaSources(triggers, findScaler) : triggers;
  const external = read.filter(({ type }) => type !== 'cpu' && type !== 'memory');
  return Object.fromEntries(
    external.map((trigger) => [trigger.name, triggerTargetOf(trigger) ?? usualTarget(trigger)]),
  );
}

function definedTarget(definition: AnyScaler, trigger: TriggerText): TriggerTarget | null {
  const { parameters } = definition;
  const { settings, problems } = readSettings(parameters, { metadata: trigger.metadata, auth: null, env: null });
  const looked = new Set<string>();
  const found = definition.target(noting(settings, looked));
  if (found === null) return null;
  // Names and addresses may be missing where only a number is to be worked out; what the number comes from may not.
  const wrong = problems.find(({ parameter }) => looked.has(parameter) && parameters[parameter]?.kind !== 'text');
  if (wrong) throw new TriggerTargetError(trigger.name, wrong.parameter, `${title(trigger)}: ${wrong.message}`);
  if (found.target > 0 && Number.isFinite(found.activationTarget)) return found;
  const key = [...looked].find((name) => name in trigger.metadata) ?? '';
  throw new TriggerTargetError(
    trigger.name,
    key,
    `${title(trigger)}: its target must be more than 0, found ${found.target}`,
  );
}

/** The settings, with a note of each that is looked at. */
function noting(settings: Settings<Parameters>, looked: Set<string>): Settings<Parameters> {
  return new Proxy(settings, {
    get(target, name) {
      if (typeof name === 'string') looked.add(name);
      return Reflect.get(target, name);
    },
  });
}
