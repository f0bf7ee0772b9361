import { resolve } from 'node:path';
import type { EbbContext } from '../context.ts';

/** The file of prices that a flag names, as a path for a process with another working folder; null: the built-in list. */
export function catalogueFile({ workingDirectory }: EbbContext, path: string | undefined): string | null {
  return path === undefined ? null : resolve(workingDirectory, path);
}
