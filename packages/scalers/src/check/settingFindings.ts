import { nearest, type KedaTriggerSpec } from '@ebb/documents';
import { resourceMetric, TriggerTargetError } from '@ebb/core';
import { ownTypes } from '../catalogue.ts';
import type { AnyScaler, SettingProblem } from '../contract/definition.ts';
import type { Origin } from '../contract/parameter.ts';
import { knownKeys, readSettings } from '../contract/readSettings.ts';
import type { GivenParameters } from './authenticationNames.ts';
import type { Finding } from './finding.ts';
import { triggerTargetOf } from './triggerTarget.ts';
import { title } from './usualTarget.ts';

const fromEnv = 'FromEnv';
/** Fields of a trigger that people write one level too deep. */
const triggerFields = ['authenticationRef', 'metricType', 'name', 'useCachedMetrics'];

/**
 * What is wrong with the settings of a trigger whose scaler is there. `given` is what its authentication gives, as far as
 * that is known: null where it is not, or where there is none. Paths are within the trigger.
 */
export function settingFindings(
  definition: AnyScaler,
  trigger: KedaTriggerSpec,
  given: GivenParameters | null,
): Finding[] {
  const { metadata, authentication } = trigger;
  const { parameters } = definition;
  const identity = authentication ? given?.identity : null;
  const sources = { metadata, auth: authentication ? null : {}, env: null, identity };
  const { settings, problems, unknown } = readSettings(parameters, sources);
  const errors = [...problems, ...missingFrom(given, unknown, trigger)].map((problem) =>
    settingError(problem, trigger),
  );
  if (errors.length > 0) return [...errors, ...keyFindings(definition, trigger)];
  const checked = (definition.check?.(settings, sources) ?? []).map((problem) =>
    problem.severity === 'warning' ? warning(problem, trigger) : settingError(problem, trigger),
  );
  const told = new Set(checked.map(({ path }) => path.at(-1)));
  const keys = keyFindings(definition, trigger).filter(({ path }) => !told.has(path.at(-1)));
  const isWrong = checked.some(({ severity }) => severity === 'error');
  return [...checked, ...(isWrong ? [] : targetFindings(trigger)), ...keys];
}

/** What the authentication was to give and does not, where it is known what it gives. */
function missingFrom(
  given: GivenParameters | null,
  unknown: readonly string[],
  trigger: KedaTriggerSpec,
): SettingProblem[] {
  if (!given?.isWhole) return [];
  const { kind = '', name = '' } = trigger.authentication ?? {};
  return unknown
    .filter((parameter) => !Object.hasOwn(trigger.metadata, `${parameter}${fromEnv}`))
    .filter((parameter) => !given.names.some((one) => one.name === parameter))
    .map((parameter) => ({
      parameter,
      message: `${parameter} is missing: neither the metadata nor the ${kind} "${name}" gives it`,
    }));
}

function settingError({ parameter, message }: SettingProblem, trigger: KedaTriggerSpec): Finding {
  const key = writtenKey(parameter, trigger);
  const consequence = ownTypes.includes(trigger.type) ? '' : '; KEDA would set Ready=False when it runs';
  return {
    severity: 'error',
    code: key === null ? 'missing-field' : 'invalid-value',
    message: `${title(trigger)}: ${message}${consequence}`,
    path: key === null ? ['metadata'] : ['metadata', key],
    ...(key === null ? { part: 'key' as const } : {}),
  };
}

function warning({ parameter, message }: SettingProblem, trigger: KedaTriggerSpec): Finding {
  const key = writtenKey(parameter, trigger);
  const path = key === null ? ['metadata'] : ['metadata', key];
  return { severity: 'warning', code: 'no-effect', message: `${title(trigger)}: ${message}`, path, part: 'key' };
}

/** The key of the metadata that a parameter is written as. */
function writtenKey(parameter: string, { metadata }: KedaTriggerSpec): string | null {
  return [parameter, `${parameter}${fromEnv}`].find((key) => Object.hasOwn(metadata, key)) ?? null;
}

function targetFindings(trigger: KedaTriggerSpec): Finding[] {
  try {
    if (resourceMetric(trigger) === null) triggerTargetOf(trigger);
    return [];
  } catch (error) {
    if (!(error instanceof TriggerTargetError)) throw error;
    const path = Object.hasOwn(trigger.metadata, error.key) ? ['metadata', error.key] : ['metadata'];
    return [{ severity: 'error', code: 'invalid-value', message: error.message, path }];
  }
}

/** Keys that are not read, or will not be for long. No message has a value: it may be a password in the wrong place. */
function keyFindings(definition: AnyScaler, trigger: KedaTriggerSpec): Finding[] {
  const known = knownKeys(definition.parameters);
  return Object.keys(trigger.metadata).flatMap((key): Finding[] => {
    const at = { severity: 'warning' as const, path: ['metadata', key], part: 'key' as const };
    const parameter = definition.parameters[baseOf(key, known)];
    if (known.includes(key)) {
      const { deprecated } = parameter ?? {};
      if (deprecated === undefined) return [];
      return [{ ...at, code: 'deprecated', message: `${title(trigger)}: ${key} is deprecated: write ${deprecated}` }];
    }
    const misplaced = misplacement(definition, key);
    if (misplaced !== null) {
      return [{ ...at, code: 'misplaced-setting', message: `${title(trigger)}: ${misplaced}` }];
    }
    if (definition.handsOnMetadata) return [];
    const suggestion = nearest(key, known);
    const message = `${title(trigger)}: ${unknownText(key, definition.type)}`;
    return [
      {
        ...at,
        code: 'unknown-setting',
        message,
        suggestion,
        ...(suggestion || key === 'metricName' ? {} : { allowed: known }),
      },
    ];
  });
}

function unknownText(key: string, type: string): string {
  if (key === 'metricName')
    return 'metricName is not read: the name of a metric is made from the other settings, as in KEDA';
  const asKeda = ownTypes.includes(type) ? '' : ', as in KEDA';
  return `${type} does not know ${key}: it is not read${asKeda}`;
}

function baseOf(key: string, known: readonly string[]): string {
  return known.includes(key) && key.endsWith(fromEnv) ? key.slice(0, -fromEnv.length) : key;
}

/** Why a key that is known is not read from where it stands; null for keys that are not known at all. */
function misplacement({ parameters, handsOnMetadata }: AnyScaler, key: string): string | null {
  if (triggerFields.includes(key) && !handsOnMetadata) return `${key} belongs to the trigger, beside metadata`;
  const own = Object.hasOwn(parameters, key) ? parameters[key] : undefined;
  if (own) return `${key} is not read from metadata: give it ${places(key, own.from)}`;
  const base = key.endsWith(fromEnv) ? key.slice(0, -fromEnv.length) : '';
  const named = Object.hasOwn(parameters, base) ? parameters[base] : undefined;
  return named ? `${base} is not read from a variable of the environment: give it ${places(base, named.from)}` : null;
}

/** Where a parameter may stand, in words: `as metadata.host or by the trigger's authentication`. */
function places(name: string, from: readonly Origin[]): string {
  const words = {
    metadata: `as metadata.${name}`,
    env: `as metadata.${name}${fromEnv}`,
    auth: "by the trigger's authentication",
  };
  return from.map((origin) => words[origin]).join(' or ');
}
