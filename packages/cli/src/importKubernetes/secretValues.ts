import { isRecord } from '../importKeda/podSpecs.ts';

const leftOut = 'LEFT-OUT';
const secretName =
  /(pass(word|phrase)?|secret|token|api_?key|access_?key|account_?key|private_?key|credentials?|connection(string)?|^sas)$/i;

/** A document without values that may be secret, and the paths of what was left out. Names of Secrets stay. */
export function withoutSecretValues(document: object): { document: object; paths: string[] } {
  const paths: string[] = [];
  const kept = walk(document, '', paths);
  return { document: isRecord(kept) ? kept : {}, paths };
}

function walk(value: unknown, path: string, paths: string[]): unknown {
  if (Array.isArray(value)) return value.map((one, index) => walk(one, `${path}[${index}]`, paths));
  if (typeof value === 'string') return withoutPassword(value, path, paths);
  if (!isRecord(value)) return value;
  // A variable with a literal value, by its name.
  const isSecretVariable =
    typeof value.name === 'string' && secretName.test(value.name) && typeof value.value === 'string';
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const at = path === '' ? name : `${path}.${name}`;
      const isSetting = path.endsWith('.metadata') && path.includes('triggers[') && secretName.test(name);
      if (typeof inner !== 'string' || !(isSetting || (isSecretVariable && name === 'value'))) {
        return [name, walk(inner, at, paths)];
      }
      paths.push(at);
      return [name, leftOut];
    }),
  );
}

/** `scheme://user:password@host`. */
function withoutPassword(text: string, path: string, paths: string[]): string {
  const kept = text.replace(/(\/\/[^/\s:@]*):[^/\s@]+@/g, `$1:${leftOut}@`);
  if (kept !== text) paths.push(path);
  return kept;
}
