import { type Alias, isAlias, isMap, isNode, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import type { Path } from '../fields/rule.ts';
import type { ProblemCode } from '../problemCodes.ts';
import { quoted } from './found.ts';

/** Deeper documents are refused: nothing that is meant goes beyond a dozen. */
export const maxDepth = 64;
/** Values that aliases may add to a document; a YAML bomb wants billions. */
export const maxAliasValues = 20_000;

export interface YamlTree {
  /** Plain JSON-like data: maps, lists, strings, numbers, booleans and null, aliases and merges filled in. */
  value: unknown;
  /** Where the key or the value at a path begins; the nearest parent's key where there is nothing. */
  offsetOf: (path: Path, part: 'key' | 'value') => number;
  isWritten: (path: Path) => boolean;
  sourceOf: (path: Path) => string | undefined;
  /** Whether a plain value is written without quotes. */
  isPlain: (path: Path) => boolean;
}

/** The document cannot be turned into data at all. */
export class YamlRefusal extends Error {
  readonly offset: number;
  readonly code: ProblemCode;
  constructor(offset: number, code: ProblemCode, message: string) {
    super(message);
    this.offset = offset;
    this.code = code;
  }
}

/** `first` is where the other one of two stands. */
type ReportAt = (offset: number, code: ProblemCode, message: string, first: number) => void;

/**
 * Turns a parsed YAML node into plain data. Done here and not by the library's `toJS`, because this counts what
 * aliases add, refuses keys that are not text or touch prototypes, finds duplicate keys in linear time, and
 * remembers where everything stands. Throws `YamlRefusal`; lesser problems are reported.
 */
export function yamlTree(root: unknown, report: ReportAt): YamlTree {
  const reader = new TreeReader(report);
  const value = reader.read(root, 0);
  return {
    value,
    offsetOf: (path, part) => reader.walk(root, path).offsets[part],
    isWritten: (path) => reader.walk(root, path).complete,
    sourceOf: (path) => reader.walk(root, path).source,
    isPlain: (path) => reader.walk(root, path).isPlain === true,
  };
}

class TreeReader {
  readonly #report: ReportAt;
  readonly #anchors = new Map<string, Node>();
  readonly #targets = new Map<Alias, Node>();
  /** Nodes being read now, to notice an alias inside its own anchor. */
  readonly #open = new Set<Node>();
  #aliasDepth = 0;
  /** Where the alias stands that is being filled in, the outermost of several. */
  #aliasOffset = 0;
  #aliasValues = 0;

  constructor(report: ReportAt) {
    this.#report = report;
  }

  read(node: unknown, depth: number): unknown {
    if (!isNode(node)) return null;
    if (isAlias(node)) return this.#readAlias(node, depth);
    const offset = startOf(node);
    if (depth > maxDepth) throw new YamlRefusal(offset, 'too-deep', `nested deeper than ${maxDepth} levels`);
    if (this.#aliasDepth > 0) {
      this.#aliasValues += 1;
      if (this.#aliasValues > maxAliasValues) {
        const message = `aliases (*name) expand to more than ${maxAliasValues} values; write out what is needed`;
        throw new YamlRefusal(this.#aliasOffset, 'too-many-aliases', message);
      }
    } else if (node.anchor !== undefined) {
      this.#anchors.set(node.anchor, node);
    }
    this.#open.add(node);
    const value = this.#readPlain(node, depth);
    this.#open.delete(node);
    return value;
  }

  #readPlain(node: Node, depth: number): unknown {
    if (isSeq(node)) return node.items.map((item) => this.read(item, depth + 1));
    if (isMap(node)) return this.#readMap(node, depth);
    if (!isScalar(node)) return null;
    const { value } = node;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
    if (value === null || value === undefined) return null;
    throw new YamlRefusal(
      startOf(node),
      'unsupported-value',
      'only text, numbers, true, false, lists and maps are read',
    );
  }

  #readAlias(alias: Alias, depth: number): unknown {
    const target = this.#targets.get(alias) ?? this.#anchors.get(alias.source);
    const offset = startOf(alias);
    const name = alias.source.length > 60 ? `${alias.source.slice(0, 60)}…` : alias.source;
    if (target === undefined) {
      throw new YamlRefusal(offset, 'unknown-anchor', `*${name} has no anchor &${name} before it`);
    }
    if (this.#open.has(target)) {
      throw new YamlRefusal(offset, 'recursive-alias', `*${name} stands inside its own anchor`);
    }
    this.#targets.set(alias, target);
    if (this.#aliasDepth === 0) this.#aliasOffset = offset;
    this.#aliasDepth += 1;
    const value = this.read(target, depth);
    this.#aliasDepth -= 1;
    return value;
  }

  #readMap(map: YAMLMap, depth: number): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    const written = new Map<string, number>();
    const merged: Record<string, unknown>[] = [];
    for (const pair of map.items) {
      if (isMergeKey(pair.key)) {
        merged.push(...this.#readMerge(pair.value, depth));
        continue;
      }
      const key = this.#keyText(pair.key, map);
      const offset = keyOffset(pair.key, map);
      const first = written.get(key);
      if (first !== undefined) {
        this.#report(offset, 'duplicate-key', `the key ${quoted(key)} is there twice in this map`, first);
        continue;
      }
      written.set(key, offset);
      value[key] = this.read(pair.value, depth + 1);
    }
    for (const source of merged) {
      for (const [key, inner] of Object.entries(source)) if (!Object.hasOwn(value, key)) value[key] = inner;
    }
    return value;
  }

  /** `<<: *base` or `<<: [*a, *b]`; earlier ones win. */
  #readMerge(node: unknown, depth: number): Record<string, unknown>[] {
    const read = this.read(node, depth + 1);
    const sources: unknown[] = Array.isArray(read) ? read : [read];
    return sources.map((source) => {
      if (isRecord(source)) return source;
      throw new YamlRefusal(isNode(node) ? startOf(node) : 0, 'invalid-merge', '<< takes a map or a list of maps');
    });
  }

  #keyText(key: unknown, map: YAMLMap): string {
    const node = isAlias(key) ? this.#anchors.get(key.source) : key;
    const offset = keyOffset(key, map);
    if (!isScalar(node) || node.value === null || node.value === undefined) {
      throw new YamlRefusal(offset, 'invalid-key', 'a key must be text, not a list, a map or nothing');
    }
    const text = typeof node.value === 'string' ? node.value : (node.source ?? JSON.stringify(node.value));
    if (text === '__proto__') throw new YamlRefusal(offset, 'invalid-key', 'the key "__proto__" is not accepted');
    return text;
  }

  /** Follows a path as far as it goes. */
  walk(root: unknown, path: Path): Walk {
    let node = root;
    let offsets = { key: isNode(root) ? startOf(root) : 0, value: isNode(root) ? startOf(root) : 0 };
    for (const part of path) {
      const target = this.#resolved(node);
      const step = isMap(target) ? this.#stepInto(target, String(part)) : seqStep(target, part);
      if (step === undefined) return { offsets: { key: offsets.key, value: offsets.key }, complete: false };
      node = step.node;
      offsets = step.offsets;
    }
    const target = this.#resolved(node);
    if (!isScalar(target)) return { offsets, complete: true };
    return { offsets, complete: true, source: target.source, isPlain: target.type === 'PLAIN' };
  }

  #stepInto(map: YAMLMap, key: string): Step | undefined {
    let merged: Step | undefined;
    for (const pair of map.items) {
      if (isMergeKey(pair.key)) {
        const source = this.#resolved(pair.value);
        const sources: unknown[] = isSeq(source) ? source.items : [source];
        for (const item of sources) {
          const target = this.#resolved(item);
          merged ??= isMap(target) ? this.#stepInto(target, key) : undefined;
        }
      } else if (this.#keyText(pair.key, map) === key) {
        const offset = keyOffset(pair.key, map);
        return { node: pair.value, offsets: { key: offset, value: valueOffset(pair.value, offset) } };
      }
    }
    return merged;
  }

  #resolved(node: unknown): unknown {
    return isAlias(node) ? this.#targets.get(node) : node;
  }
}

interface Walk {
  offsets: { key: number; value: number };
  complete: boolean;
  source?: string | undefined;
  isPlain?: boolean;
}

interface Step {
  node: unknown;
  offsets: { key: number; value: number };
}

function seqStep(node: unknown, part: string | number): Step | undefined {
  if (!isSeq(node) || typeof part !== 'number' || part >= node.items.length) return undefined;
  const item = node.items[part];
  const offset = isNode(item) ? startOf(item) : startOf(node);
  return { node: item, offsets: { key: offset, value: offset } };
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function keyOffset(key: unknown, map: YAMLMap): number {
  return isNode(key) ? startOf(key) : startOf(map);
}

/** A value that is not written has no place of its own; its key stands for it. */
function valueOffset(value: unknown, fallback: number): number {
  if (!isNode(value)) return fallback;
  return isScalar(value) && value.value === null && !value.source ? fallback : startOf(value);
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
