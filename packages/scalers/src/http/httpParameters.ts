import { validateHeaderName, validateHeaderValue } from 'node:http';
import { type Parameter, SettingFault, text as textParameter } from '../contract/parameter.ts';

type Common = Pick<Parameter, 'description'> & { from?: Parameter['from'] };

const unitMs: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Time for one request in ms, written as KEDA reads it: milliseconds or a duration such as `2s` or `1m30s`. */
export function timeout({ description, from = ['metadata'] }: Common): Parameter<number | undefined> {
  const allowed = 'a whole number of milliseconds or a duration such as 2s';
  return {
    kind: 'integer',
    description,
    from,
    required: false,
    allowed,
    secret: false,
    parse(text) {
      const trimmed = text.trim();
      const parts = [...trimmed.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
      const isDuration = parts.length > 0 && parts.map(([part]) => part).join('') === trimmed;
      if (!isDuration && !/^\d+$/.test(trimmed)) throw new SettingFault(`must be ${allowed}`);
      const ms = isDuration
        ? parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0)
        : Number(trimmed);
      const rounded = Math.round(ms);
      // As in KEDA, 0 is the time that is set for all.
      return rounded === 0 ? undefined : rounded;
    },
  };
}

/** Names and values, `a=1,b=2`. A value may hold `=`, and no comma. */
export function pairs({ description, from = ['metadata'] }: Common): Parameter<Readonly<Record<string, string>>> {
  const allowed = 'name=value pairs with commas between';
  return {
    kind: 'list',
    description,
    from,
    required: false,
    default: {},
    allowed,
    secret: false,
    parse(text) {
      const entries = text.split(',').map((pair) => {
        const at = pair.indexOf('=');
        const name = pair.slice(0, at).trim();
        if (at < 0 || name === '') throw new SettingFault(`must be ${allowed}`);
        return [name, pair.slice(at + 1).trim()] as const;
      });
      return Object.fromEntries(entries);
    },
  };
}

/** Like `pairs`, each of them fit for an HTTP header. */
export function headerPairs(options: Common): Parameter<Readonly<Record<string, string>>> {
  const parameter = pairs(options);
  return {
    ...parameter,
    secret: true,
    parse(text) {
      const headers = parameter.parse(text);
      for (const [name, value] of Object.entries(headers)) {
        try {
          validateHeaderName(name);
          validateHeaderValue(name, value);
        } catch {
          throw new SettingFault(`must be ${parameter.allowed} that are fit for HTTP headers, and "${name}" is not`);
        }
      }
      return headers;
    },
  };
}

/** An address over HTTP that must be given. */
export function httpUrl(description: string): Parameter<string> {
  const allowed = 'a URL such as http://host:8080/path';
  return {
    ...textParameter({ required: true, description }),
    allowed,
    parse(text) {
      const url = URL.canParse(text) ? new URL(text) : null;
      if (!url || !/^https?:$/.test(url.protocol)) throw new SettingFault(`must be ${allowed}`);
      return text.trim();
    },
  };
}
