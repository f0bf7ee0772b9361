import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { EbbContext } from './context.ts';
import { Failure } from './failure.ts';

/** A document file larger than this is no document. */
const largestFileBytes = 4 * 1024 * 1024;
const mostFiles = 1_000;

export interface SourceText {
  /** As messages name it: the path as given, or `<stdin>`. */
  name: string;
  /** Absolute path; null for standard input. */
  path: string | null;
  text: string;
}

/** Reads files, folders (their .yaml, .yml and .json, and those of folders below) and `-` for standard input. */
export async function readSources(context: EbbContext, paths: readonly string[]): Promise<SourceText[]> {
  const sources: SourceText[] = [];
  for (const path of new Set(paths)) {
    if (path === '-') {
      sources.push({ name: '<stdin>', path: null, text: await text(process.stdin) });
      continue;
    }
    for (const file of filesOf(context, path)) {
      const absolute = resolve(context.workingDirectory, file);
      const content = readText(absolute, file);
      if (file !== path && isForeignJson(file, content)) continue;
      sources.push({ name: file, path: absolute, text: content });
    }
  }
  return sources;
}

/** Folders of documents have other JSON beside them, such as package.json: what names no kind is no document. */
function isForeignJson(file: string, content: string): boolean {
  return /\.json$/i.test(file) && !/"(?:apiVersion|kind)"\s*:/.test(content);
}

function filesOf(context: EbbContext, path: string): string[] {
  const absolute = resolve(context.workingDirectory, path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (!stats)
    throw new Failure('usage', `there is no file or folder "${path}".`, [`looked in ${context.workingDirectory}`]);
  if (!stats.isDirectory()) return [path];
  const files = readdirSync(absolute, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/i.test(entry.name) && !isHidden(entry, absolute))
    .map((entry) => join(path, join(entry.parentPath, entry.name).slice(absolute.length + 1)))
    .sort();
  if (files.length === 0) throw new Failure('usage', `there is no .yaml, .yml or .json file in the folder "${path}".`);
  if (files.length > mostFiles) throw new Failure('usage', `more than ${mostFiles} files in the folder "${path}".`);
  return files;
}

/** `node_modules` and folders that begin with a dot hold other people's files. */
function isHidden(entry: Dirent, root: string): boolean {
  const below = join(entry.parentPath, entry.name)
    .slice(root.length + 1)
    .split(/[\\/]/);
  return below.some((part) => part.startsWith('.') || part === 'node_modules');
}

function readText(absolute: string, name: string): string {
  const { size } = statSync(absolute);
  if (size > largestFileBytes) {
    throw new Failure('usage', `${name} has ${size} bytes; a file of documents has at most ${largestFileBytes}.`);
  }
  return readFileSync(absolute, 'utf8');
}
