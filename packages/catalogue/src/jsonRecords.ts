import { CatalogueError } from './catalogueError.ts';

export interface JsonRecord {
  value: unknown;
  line: number;
}

/** Elements of a JSON array, or of the array `offerings` of an object, each with the line where it begins. */
export function readJsonRecords(text: string, file: string): JsonRecord[] {
  const whole = parseWhole(text, file);
  const list = isObject(whole) ? whole['offerings'] : whole;
  if (!Array.isArray(list)) {
    throw new CatalogueError(file, 1, 'expected an array of offerings, or an object with one under "offerings"');
  }
  const lines = elementLines(text, isObject(whole) ? 2 : 1);
  return list.map((value: unknown, index) => ({ value, line: lines[index] ?? 1 }));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseWhole(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const offset = /at position (\d+)/.exec(message)?.[1];
    const line = offset === undefined ? text.split('\n').length : text.slice(0, Number(offset)).split('\n').length;
    throw new CatalogueError(file, line, `is no JSON: ${message.replace(/ in JSON at position.*$/, '')}`);
  }
}

/** Lines of the objects that begin at a nesting depth, of a text that is known to be JSON. */
function elementLines(text: string, depth: number): number[] {
  const lines: number[] = [];
  let line = 1;
  let open = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '\n') line += 1;
    else if (inString) {
      if (sign === '\\') at += 1;
      else if (sign === '"') inString = false;
    } else if (sign === '"') inString = true;
    else if (sign === '{' || sign === '[') {
      if (sign === '{' && open === depth) lines.push(line);
      open += 1;
    } else if (sign === '}' || sign === ']') open -= 1;
  }
  return lines;
}
