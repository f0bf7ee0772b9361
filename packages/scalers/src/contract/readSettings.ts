import type { Parameters, SettingProblem, Settings, WrittenSettings } from './definition.ts';
import { type Parameter, SettingFault } from './parameter.ts';

export interface SettingSources extends WrittenSettings {
  /**
   * Environment of the target's container for `…FromEnv`; null: not known (a document that is only checked), so that
   * what is named there counts as given.
   */
  env: Readonly<Record<string, string>> | null;
}

export interface ReadSettings<Of extends Parameters> {
  settings: Settings<Of>;
  /** By metadata key as written (`host`, `hostFromEnv`) or by parameter name for what is missing. */
  problems: SettingProblem[];
  /** Required, and may yet come from what is not known here: its value in `settings` is undefined. */
  unknown: string[];
}

const fromEnv = 'FromEnv';

/** Reads each parameter from the first of its origins that has it. Never throws; without problems `settings` is whole. */
export function readSettings<Of extends Parameters>(parameters: Of, sources: SettingSources): ReadSettings<Of> {
  const settings: Record<string, unknown> = {};
  const problems: SettingProblem[] = [];
  const unknown: string[] = [];
  for (const [name, parameter] of Object.entries(parameters)) {
    const found = find(name, parameter, sources);
    if (found === undefined || (found.text === '' && !parameter.required)) {
      settings[name] = parameter.default;
      if (found === undefined && parameter.required) {
        if (sources.auth === null && parameter.from.includes('auth')) unknown.push(name);
        else problems.push({ parameter: name, message: missing(name, parameter) });
      }
      continue;
    }
    if (found.text === null) {
      settings[name] = undefined;
      unknown.push(name);
      continue;
    }
    try {
      if (found.text === '') throw new SettingFault('must not be empty');
      settings[name] = parameter.parse(found.text);
    } catch (error) {
      if (!(error instanceof SettingFault)) throw error;
      const shown = parameter.secret || found.origin !== 'metadata' ? '' : `, found "${found.text}"`;
      problems.push({ parameter: found.key, message: `${found.key} ${error.message}${shown}` });
    }
  }
  return { settings: settings as Settings<Of>, problems, unknown };
}

interface Found {
  key: string;
  origin: 'auth' | 'metadata' | 'env';
  /** Null: it is named, and what it is cannot be known here. */
  text: string | null;
}

function find(name: string, parameter: Parameter, { metadata, auth, env }: SettingSources): Found | undefined {
  for (const origin of parameter.from) {
    if (origin === 'metadata') {
      const text = own(metadata, name);
      if (text !== undefined) return { key: name, origin, text };
    } else if (origin === 'auth') {
      const text = auth ? own(auth, name) : undefined;
      if (text !== undefined) return { key: name, origin, text };
    } else {
      const key = `${name}${fromEnv}`;
      const variable = own(metadata, key);
      if (variable === undefined) continue;
      if (env === null) return { key, origin, text: null };
      const text = own(env, variable);
      if (text !== undefined) return { key, origin, text };
    }
  }
  return undefined;
}

function own(values: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

function missing(name: string, { from, allowed }: Parameter): string {
  const places = from.map((origin) => {
    if (origin === 'metadata') return `metadata.${name}`;
    return origin === 'env' ? `metadata.${name}FromEnv` : `the parameter ${name} of the trigger's authentication`;
  });
  return `${name} is missing: give ${allowed} as ${places.join(', or as ')}`;
}

/** Metadata keys that a definition knows, with those that name an environment variable. */
export function knownKeys(parameters: Parameters): string[] {
  return Object.entries(parameters).flatMap(([name, { from }]) => [
    ...(from.includes('metadata') ? [name] : []),
    ...(from.includes('env') ? [`${name}${fromEnv}`] : []),
  ]);
}
