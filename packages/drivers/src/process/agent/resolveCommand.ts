import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { nearestName } from './nearestName.ts';

/** None is there, its driver does not answer, it cannot give what is asked for, or others have all of it. */
export type GpuFailure = 'no-gpu' | 'gpu-driver' | 'gpu-unsuitable' | 'gpu-busy';

/** Why a replica cannot be started at all. Starting it again would end the same. */
export class StartRefusedError extends Error {
  readonly failure: 'command-not-found' | 'not-executable' | 'working-directory' | 'port-taken' | GpuFailure;
  constructor(failure: StartRefusedError['failure'], message: string) {
    super(message);
    this.failure = failure;
  }
}

/**
 * The absolute path of the program to run: searched on `path` when the name has no slash, else taken relative to the
 * working directory. Throws `StartRefusedError` with what was found and what may have been meant.
 */
export function resolveCommand(name: string, path: string, workingDirectory: string): string {
  if (!isDirectory(workingDirectory)) {
    throw new StartRefusedError('working-directory', `working directory not found: ${workingDirectory}`);
  }
  if (name.includes('/')) {
    const file = isAbsolute(name) ? name : resolve(workingDirectory, name);
    const access = fileAccess(file);
    if (access === 'executable') return file;
    if (access === 'missing') throw new StartRefusedError('command-not-found', `command not found: ${file}`);
    throw notExecutable(file, access);
  }
  const folders = path.split(delimiter).filter(isAbsolute);
  let unusable: StartRefusedError | null = null;
  for (const folder of folders) {
    const file = join(folder, name);
    const access = fileAccess(file);
    if (access === 'executable') return file;
    if (access !== 'missing') unusable ??= notExecutable(file, access);
  }
  throw unusable ?? new StartRefusedError('command-not-found', `command not found: ${name}${hint(name, folders)}`);
}

function fileAccess(file: string): 'executable' | 'plain' | 'directory' | 'missing' {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat) return 'missing';
    if (stat.isDirectory()) return 'directory';
    accessSync(file, constants.X_OK);
    return 'executable';
  } catch {
    return 'plain'; // Something is there; it, or a folder on the way, may not be used.
  }
}

function notExecutable(file: string, access: 'plain' | 'directory'): StartRefusedError {
  const what = access === 'directory' ? 'it is a directory' : `it lacks the permission to run; try "chmod +x ${file}"`;
  return new StartRefusedError('not-executable', `cannot be executed: ${file} (${what})`);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}

function hint(name: string, folders: string[]): string {
  const names = new Set(folders.flatMap(namesIn));
  const meant = nearestName(name, names);
  return meant === null ? ' (searched on PATH)' : ` (did you mean "${meant}"?)`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
