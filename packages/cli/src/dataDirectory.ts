import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export interface DataDirectory {
  path: string;
  /** How it was found, for a message: `--data`, `$EBB_DATA`, `found upwards of here`, `default`. */
  from: '--data' | '$EBB_DATA' | 'found' | 'default';
}

/** `--data`, else `$EBB_DATA`, else the nearest `.ebb` folder upwards from the working directory, else `./.ebb`. */
export function findDataDirectory(
  flag: string | undefined,
  env: Record<string, string | undefined>,
  workingDirectory: string,
): DataDirectory {
  if (flag) return { path: absolute(flag, workingDirectory), from: '--data' };
  if (env.EBB_DATA) return { path: absolute(env.EBB_DATA, workingDirectory), from: '$EBB_DATA' };
  for (let folder = resolve(workingDirectory); ; folder = dirname(folder)) {
    const candidate = join(folder, '.ebb');
    if (isDirectory(candidate)) return { path: candidate, from: 'found' };
    if (dirname(folder) === folder) break;
  }
  return { path: join(resolve(workingDirectory), '.ebb'), from: 'default' };
}

function absolute(path: string, workingDirectory: string): string {
  const expanded = path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
  return resolve(workingDirectory, expanded);
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
