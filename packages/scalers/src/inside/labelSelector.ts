/** One condition of a selector. All conditions must hold. */
export type LabelRequirement =
  | { key: string; operator: 'exists' | 'notExists' }
  | { key: string; operator: 'in' | 'notIn'; values: readonly string[] }
  | { key: string; operator: 'greater' | 'less'; number: bigint };

/** What is wrong with a selector, for the user. */
export class LabelSelectorError extends Error {}

const maxLength = 63;
const maxPrefixLength = 253;
const name = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * Reads a selector as Kubernetes writes it (k8s.io/apimachinery `labels.Parse`): `app=web,tier!=cache`, `env in (a, b)`,
 * `env notin (a)`, `key`, `!key`, `cores>4`. The empty text fits everything. Throws `LabelSelectorError`.
 */
export function parseLabelSelector(text: string): LabelRequirement[] {
  const tokens = new Tokens(text);
  if (tokens.next === end) return [];
  const requirements: LabelRequirement[] = [];
  for (;;) {
    requirements.push(requirement(tokens));
    const token = tokens.take();
    if (token === end) return requirements;
    if (token !== ',') tokens.fail(`expected a comma or the end, found ${shown(token)}`);
  }
}

/** What is wrong with the selector that a parameter has, if anything, for the check of a trigger's settings. */
export function selectorProblems(parameter: string, text: string): { parameter: string; message: string }[] {
  try {
    parseLabelSelector(text);
    return [];
  } catch (error) {
    if (!(error instanceof LabelSelectorError)) throw error;
    return [{ parameter, message: `${parameter}: ${error.message}` }];
  }
}

/** Whether labels fit all requirements. `!=` and `notin` also fit what does not have the label at all. */
export function fitsLabels(
  requirements: readonly LabelRequirement[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return requirements.every((one) => {
    const value = Object.hasOwn(labels, one.key) ? labels[one.key] : undefined;
    switch (one.operator) {
      case 'exists':
        return value !== undefined;
      case 'notExists':
        return value === undefined;
      case 'in':
        return value !== undefined && one.values.includes(value);
      case 'notIn':
        return value === undefined || !one.values.includes(value);
      default: {
        const number = value === undefined ? null : wholeNumber(value);
        if (number === null) return false;
        return one.operator === 'greater' ? number > one.number : number < one.number;
      }
    }
  });
}

function requirement(tokens: Tokens): LabelRequirement {
  const isNegated = tokens.next === '!';
  if (isNegated) tokens.take();
  const key = tokens.take();
  if (isSymbol(key)) return tokens.fail(`expected a label, found ${shown(key)}`);
  checkKey(key, tokens);
  if (isNegated) return { key, operator: 'notExists' };
  if (tokens.next === end || tokens.next === ',') return { key, operator: 'exists' };
  const operator = tokens.take();
  switch (operator) {
    case '=':
    case '==':
      return { key, operator: 'in', values: [exactValue(tokens)] };
    case '!=':
      return { key, operator: 'notIn', values: [exactValue(tokens)] };
    case 'in':
      return { key, operator: 'in', values: valueSet(tokens) };
    case 'notin':
      return { key, operator: 'notIn', values: valueSet(tokens) };
    case '>':
    case '<': {
      const value = exactValue(tokens);
      const number = wholeNumber(value);
      if (number === null) return tokens.fail(`${key} ${operator} needs a whole number, found ${shown(value)}`);
      return { key, operator: operator === '>' ? 'greater' : 'less', number };
    }
    default:
      return tokens.fail(`expected =, ==, !=, in, notin, > or < after ${key}, found ${shown(operator)}`);
  }
}

/** Nothing at all is the empty value. */
function exactValue(tokens: Tokens): string {
  if (tokens.next === end || tokens.next === ',') return '';
  const value = tokens.take();
  if (isSymbol(value)) return tokens.fail(`expected a value, found ${shown(value)}`);
  return checkValue(value, tokens);
}

/** `(a, b)`. A place left empty is the empty value, but `()` has none and is refused. */
function valueSet(tokens: Tokens): string[] {
  const open = tokens.take();
  if (open !== '(') tokens.fail(`expected ( after in or notin, found ${shown(open)}`);
  if (tokens.next === ')') return tokens.fail('the set of values must not be empty');
  const values: string[] = [];
  let value = '';
  for (;;) {
    const token = tokens.take();
    if (token === ',' || token === ')') {
      values.push(value);
      value = '';
      if (token === ')') return values;
    } else if (isSymbol(token) || value !== '') {
      return tokens.fail(`expected a comma or ), found ${shown(token)}`);
    } else {
      value = checkValue(token, tokens);
    }
  }
}

const end = '';
const symbols = new Set([end, ')', '(', ',', '!', '=', '==', '!=', '>', '<']);

class Tokens {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = text.match(/==|!=|[()!,=<>]|[^()!,=<>\s]+/g) ?? [];
  }

  get next(): string {
    return this.#tokens[this.#at] ?? end;
  }

  take(): string {
    const token = this.next;
    this.#at++;
    return token;
  }

  fail(message: string): never {
    throw new LabelSelectorError(`"${this.#text}" is not a label selector: ${message}`);
  }
}

function isSymbol(token: string): boolean {
  return symbols.has(token);
}

function shown(token: string): string {
  return token === end ? 'the end' : `"${token}"`;
}

function checkKey(key: string, tokens: Tokens): void {
  const slash = key.indexOf('/');
  const prefix = slash < 0 ? null : key.slice(0, slash);
  const ownName = key.slice(slash + 1);
  if (prefix !== null && (prefix.length > maxPrefixLength || !subdomain.test(prefix))) {
    tokens.fail(`"${prefix}" before the / of a label must be a DNS name such as example.com`);
  }
  if (ownName.length > maxLength || !name.test(ownName)) {
    tokens.fail(
      `"${ownName}" is no name of a label: at most ${maxLength} letters, digits, - _ or ., with a letter or digit at both ends`,
    );
  }
}

function checkValue(value: string, tokens: Tokens): string {
  if (value.length <= maxLength && name.test(value)) return value;
  return tokens.fail(
    `"${value}" is no value of a label: at most ${maxLength} letters, digits, - _ or ., with a letter or digit at both ends`,
  );
}

function wholeNumber(value: string): bigint | null {
  return /^\d{1,19}$/.test(value) ? BigInt(value) : null;
}
