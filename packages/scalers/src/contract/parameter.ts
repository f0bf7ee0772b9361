/**
 * Where KEDA takes a setting from: the trigger's `metadata`, the target's environment by a key with `FromEnv` at its
 * end, or the trigger's authentication. The order is the order in which they count.
 */
export type Origin = 'auth' | 'metadata' | 'env';

/** One setting of a scaler, declared once: reading, checks, documentation and listings come from it. */
export interface Parameter<Value = unknown> {
  kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'list';
  description: string;
  from: readonly Origin[];
  required: boolean;
  default?: Value;
  /** Values that are allowed, where they can be listed. */
  values?: readonly string[];
  /** For a person: `a whole number, 0 or more`. */
  allowed: string;
  /** Its value is never shown. */
  secret: boolean;
  /** What to write in its place. */
  deprecated?: string;
  /** Says what is wrong by throwing `SettingFault`. */
  parse(text: string): Value;
}

/** What is wrong with one setting's text. */
export class SettingFault extends Error {}

interface Common {
  description: string;
  from?: readonly Origin[];
  secret?: boolean;
  deprecated?: string;
}
type Given<Value> = Common & ({ required: true } | { default: Value });

interface Bounds {
  min?: number;
  moreThan?: number;
  max?: number;
}

const everywhere: readonly Origin[] = ['metadata'];

function make<Value>(
  kind: Parameter['kind'],
  options: Common & { required?: boolean; default?: Value },
  allowed: string,
  parse: (text: string) => Value,
  values?: readonly string[],
): Parameter<Value> {
  const { description, from = everywhere, secret = false, deprecated, required = false } = options;
  return {
    kind,
    description,
    from,
    secret,
    required,
    allowed,
    parse,
    ...(deprecated === undefined ? {} : { deprecated }),
    ...(options.default === undefined ? {} : { default: options.default }),
    ...(values === undefined ? {} : { values }),
  };
}

export function text(options: Given<string>): Parameter<string>;
export function text(options: Common): Parameter<string | undefined>;
export function text(options: Common): Parameter<string | undefined> {
  return make<string | undefined>('text', options, 'text', (value) => value);
}

export function number(options: Given<number> & Bounds): Parameter<number>;
export function number(options: Common & Bounds): Parameter<number | undefined>;
export function number(options: Common & Bounds): Parameter<number | undefined> {
  const allowed = `a number${boundsText(options)}`;
  return make<number | undefined>('number', options, allowed, (value) => numberOf(value, options, allowed));
}

export function integer(options: Given<number> & Bounds): Parameter<number>;
export function integer(options: Common & Bounds): Parameter<number | undefined>;
export function integer(options: Common & Bounds): Parameter<number | undefined> {
  const allowed = `a whole number${boundsText(options)}`;
  return make<number | undefined>('integer', options, allowed, (value) => {
    const parsed = numberOf(value, options, allowed);
    if (!Number.isSafeInteger(parsed)) throw new SettingFault(`must be ${allowed}`);
    return parsed;
  });
}

/** As Go's `strconv.ParseBool` reads it. */
export function boolean(options: Given<boolean>): Parameter<boolean>;
export function boolean(options: Common): Parameter<boolean | undefined>;
export function boolean(options: Common): Parameter<boolean | undefined> {
  const allowed = '"true" or "false"';
  return make<boolean | undefined>('boolean', options, allowed, (value) => {
    if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
    if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false;
    throw new SettingFault(`must be ${allowed}`);
  });
}

export function choice<const Value extends string>(
  values: readonly Value[],
  options: Given<NoInfer<Value>>,
): Parameter<Value>;
export function choice<const Value extends string>(
  values: readonly Value[],
  options: Common,
): Parameter<Value | undefined>;
export function choice<const Value extends string>(
  values: readonly Value[],
  options: Common,
): Parameter<Value | undefined> {
  const allowed = `one of ${values.join(', ')}`;
  const parse = (value: string) => {
    const found = values.find((one) => one === value);
    if (found === undefined) throw new SettingFault(`must be ${allowed}`);
    return found;
  };
  return make<Value | undefined>('choice', options, allowed, parse, values);
}

/** Parts between commas, trimmed; empty ones are left out. */
export function list(options: Given<readonly string[]>): Parameter<readonly string[]>;
export function list(options: Common): Parameter<readonly string[] | undefined>;
export function list(options: Common): Parameter<readonly string[] | undefined> {
  return make<readonly string[] | undefined>('list', options, 'a list with commas between', (value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
}

function boundsText({ min, moreThan, max }: Bounds): string {
  const parts = [
    min === undefined ? '' : `${min} or more`,
    moreThan === undefined ? '' : `more than ${moreThan}`,
    max === undefined ? '' : `${max} or less`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `, ${parts.join(' and ')}`;
}

function numberOf(value: string, { min, moreThan, max }: Bounds, allowed: string): number {
  const trimmed = value.trim();
  const parsed = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed) ? Number(trimmed) : Number.NaN;
  const isOutside =
    (min !== undefined && parsed < min) ||
    (moreThan !== undefined && parsed <= moreThan) ||
    (max !== undefined && parsed > max);
  if (!Number.isFinite(parsed) || isOutside) throw new SettingFault(`must be ${allowed}`);
  return parsed;
}
