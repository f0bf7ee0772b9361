import type { Path } from '../../fields/rule.ts';
import { isRecord } from '../values.ts';

/** One flag as it is given, with where. */
export interface GivenFlag {
  name: string;
  /** Null: none is written, as with `--scale-down-enabled`. */
  value: string | null;
  path: Path;
}

/** The container of Cluster Autoscaler in a document that makes pods. */
export interface AutoscalerContainer {
  kind: string;
  name: string;
  container: Record<string, unknown>;
  path: Path;
}

/** The container of Cluster Autoscaler, by its image or its command; null where there is none. */
export function autoscalerContainer(value: Record<string, unknown>): AutoscalerContainer | null {
  const ways: Path[] = [
    ['spec', 'template', 'spec', 'containers'],
    ['spec', 'containers'],
  ];
  for (const path of ways) {
    const containers = valueAt(value, path);
    if (!Array.isArray(containers)) continue;
    const index = containers.findIndex(isAutoscaler);
    const container: unknown = containers[index];
    if (!isRecord(container)) continue;
    const name = valueAt(value, ['metadata', 'name']);
    return { kind: String(value.kind), name: typeof name === 'string' ? name : '', container, path: [...path, index] };
  }
  return null;
}

function isAutoscaler(container: unknown): boolean {
  if (!isRecord(container)) return false;
  const image = typeof container.image === 'string' ? container.image : '';
  // The last part of the image, without registry, tag and digest.
  const isImage = /(^|\/)cluster-autoscaler([-_][a-z0-9]+)?([:@]|$)/.test(image);
  return isImage || words(container).some(({ text }) => /(^|\/)cluster-autoscaler$/.test(text));
}

interface Word {
  text: string;
  path: Path;
}

/** Command and arguments one by one; a script of `sh -c` is taken apart at its spaces. */
function words(container: Record<string, unknown>): Word[] {
  const all = ['command', 'args'].flatMap((field) => {
    const list = container[field];
    if (!Array.isArray(list)) return [];
    return list.flatMap((text: unknown, index): Word[] =>
      typeof text === 'string' || typeof text === 'number' || typeof text === 'boolean'
        ? [{ text: String(text), path: [field, index] }]
        : [],
    );
  });
  const shell = all.findIndex(({ text }) => /^-[a-z]*c$/.test(text));
  if (shell < 1 || !/(^|\/)(ba|da|a)?sh$/.test(all[0]?.text ?? '')) return all;
  return all.flatMap((word, index) => (index === shell + 1 ? scriptWords(word) : index > shell ? [word] : []));
}

function scriptWords({ text, path }: Word): Word[] {
  const found = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return found.map((word) => ({ text: word.replace(/["']/g, ''), path }));
}

/** The flags of a container: `--name=value`, `--name value`, `-name`; `isSwitch` tells which take no next word. */
export function givenFlags(container: Record<string, unknown>, isSwitch: (name: string) => boolean): GivenFlag[] {
  const flags: GivenFlag[] = [];
  const all = words(container);
  for (let index = 0; index < all.length; index += 1) {
    const { text, path } = all[index] ?? { text: '', path: [] };
    const match = /^--?([A-Za-z][\w.-]*)(?:=([\s\S]*))?$/.exec(text);
    const [, name, value] = match ?? [];
    if (name === undefined) continue;
    // pflag takes `_` and `-` for the same.
    const plain = name.replaceAll('_', '-');
    const next = all[index + 1]?.text;
    if (value !== undefined || isSwitch(plain) || next === undefined || next.startsWith('-')) {
      flags.push({ name: plain, value: value ?? null, path });
      continue;
    }
    flags.push({ name: plain, value: next, path });
    index += 1;
  }
  return flags;
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, part) => {
    if (Array.isArray(inner)) return typeof part === 'number' ? inner[part] : undefined;
    return isRecord(inner) ? inner[String(part)] : undefined;
  }, value);
}
