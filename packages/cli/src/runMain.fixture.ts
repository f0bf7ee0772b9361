import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { ProcessLike } from './context.ts';
import { main } from './main.ts';

type Env = Readonly<Record<string, string>>;

/** How a command line ended, and what it wrote. */
export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** A process that is no terminal, and what a command has told it so far. */
export function memoryHost(env: Env = {}): { told: { out: string; err: string }; process: ProcessLike } {
  const told = { out: '', err: '' };
  const stdout = { write: (text: string) => (told.out += text) };
  const stderr = { write: (text: string) => (told.err += text) };
  return { told, process: { stdout, stderr, env } };
}

/** Runs a command line (without `ebb`) inside this process, in that folder. */
export async function runMain(words: readonly string[], folder: string, env: Env = {}): Promise<Outcome> {
  const { told, process } = memoryHost(env);
  const code = await main(words, process, folder);
  return { code, ...told };
}

/**
 * A folder of its own for a test file, or for each test in it: made before, removed after. Names are relative to it.
 * Call it outside of tests and before other hooks, so that these find the folder.
 */
export function commandFolder({ of = 'file', env = {} }: { of?: 'file' | 'test'; env?: Env } = {}) {
  const [before, after] = of === 'file' ? [beforeAll, afterAll] : [beforeEach, afterEach];
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ebb-cli-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const at = (...names: string[]) => join(folder, ...names);
  return {
    at,
    write(name: string, text: string): void {
      mkdirSync(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), text);
    },
    read: (name: string) => readFileSync(at(name), 'utf8'),
    ebb: (...words: string[]) => runMain(words, folder, env),
  };
}
