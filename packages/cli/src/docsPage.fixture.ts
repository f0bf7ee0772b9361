import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import type { Outcome } from './runMain.fixture.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const entry = join(root, 'packages', 'cli', 'bin', 'ebb.mjs');

export interface PageCommand {
  command: string;
  printed: string;
}

/** A page of `docs` as a test reads it. */
export interface DocsPage {
  text: string;
  /** By path: the name in the line before, the text in the block. */
  files: ReadonlyMap<string, string>;
  /** What stands behind `$` in its consoles, and what is printed then. */
  commands: readonly PageCommand[];
}

export function docsPage(name: string): DocsPage {
  const text = readFileSync(join(root, 'docs', name), 'utf8');
  const files = [...text.matchAll(/`([\w./-]+\.(?:yaml|mjs|csv))`[^\n]*\n\n```(?:yaml|js|csv)\n([\s\S]*?)^```$/gm)];
  const commands = [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .filter(Boolean)
      .map((part) => {
        const end = part.indexOf('\n');
        return { command: part.slice(0, end), printed: part.slice(end + 1) };
      }),
  );
  return { text, files: new Map(files.map(([, path = '', body = '']) => [path, body])), commands };
}

/** A folder of its own with files of a page, and the way to remove it. */
export function folderOf(files: ReadonlyMap<string, string>, except: readonly string[] = []) {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'ebb-page-')));
  for (const [name, text] of files) {
    if (except.includes(name)) continue;
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The real command, as built, in that folder and with its own data there. */
export function ebbIn(folder: string, longestMs: number): (words: readonly string[]) => Promise<Outcome> {
  // `node` of a page's command is the one that runs this test.
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  const env = { ...process.env, EBB_DATA: join(folder, '.ebb'), NO_COLOR: '1', LANG: 'C.UTF-8', PATH: path };
  return (words) =>
    new Promise((resolve) => {
      execFile(process.execPath, [entry, ...words], { cwd: folder, env, timeout: longestMs }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
      });
    });
}

/** A page whose commands start a control plane in a folder of the page's files: it is taken down after the tests. */
export function livePage(name: string, longestMs: number) {
  const { files, commands } = docsPage(name);
  const folder = folderOf(files);
  const ebb = ebbIn(folder.path, longestMs);
  afterAll(async () => {
    await ebb(['down']);
    folder.remove();
  }, longestMs);
  /** With the page's folder and ports, and without how long things took. */
  const asOnPage = (text: string) =>
    text
      .replaceAll(folder.path, '/srv/vision')
      .replace(/after [\d.]+ m?s/, 'after N s')
      .replaceAll(/(127\.0\.0\.1):\d+/g, '$1:N');
  return { files, commands, ebb, asOnPage };
}

/** Words of a command line; double quotes hold some together. */
export function wordsOf(command: string): string[] {
  return (command.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
}
