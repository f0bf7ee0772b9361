import { SourceError } from '../contract/errors.ts';
import { quantityOf } from './quantity.ts';

const quotedLength = 40;

/** What was found at a place as a number; a text counts where it is a Kubernetes quantity. Throws `SourceError`. */
export function numberAt(value: unknown, location: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'bigint') return Number(value);
  const number = typeof value === 'string' ? quantityOf(value) : null;
  if (number !== null) return number;
  const found = typeof value === 'string' ? `the text "${value.slice(0, quotedLength)}"` : kindOf(value);
  throw new SourceError(
    value === undefined ? 'not-found' : 'bad-answer',
    `valueLocation "${location}" must lead to a number or a quantity such as 500m, found ${found}`,
  );
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing there';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return String(value);
  return typeof value === 'object' ? 'an object' : `${value}`;
}

/**
 * Follows names and list positions between dots, as KEDA does for YAML and XML: the first value on the way that is
 * neither an object nor a list is it. Undefined: not there.
 */
export function valueAt(document: unknown, location: string): unknown {
  let current = document;
  for (const name of location.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined;
    current = (current as Record<string, unknown>)[name];
    if (typeof current !== 'object' || current === null) return current;
  }
  return current;
}

/** Reads YAML; a number is found like in JSON. */
export async function yamlValue(text: string, location: string): Promise<number> {
  const { parse } = await import('yaml');
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new SourceError('bad-answer', `the answer is not YAML: ${firstLine(error)}`);
  }
  return numberAt(valueAt(document, location), location);
}

/** Reads XML. The way to the value may begin with the outermost element or in it; `@name` is an attribute. */
export async function xmlValue(text: string, location: string): Promise<number> {
  const { XMLParser, XMLValidator } = await import('fast-xml-parser');
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) throw new SourceError('bad-answer', `the answer is not XML: ${verdict.err.msg}`);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    ignoreDeclaration: true,
    ignorePiTags: true,
    parseTagValue: false,
    // Entities that the answer defines itself are not expanded: they can grow without bound.
    processEntities: false,
  });
  const document: unknown = parser.parse(text);
  const root = typeof document === 'object' && document !== null ? Object.values(document)[0] : undefined;
  const found = valueAt(document, location) ?? valueAt(root, location);
  // An element with attributes keeps its text under a name of its own.
  const value = typeof found === 'object' && found !== null && '#text' in found ? found['#text'] : found;
  return numberAt(typeof value === 'string' ? value.trim() : value, location);
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
