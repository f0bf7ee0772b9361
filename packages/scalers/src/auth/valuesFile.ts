import { isAbsolute, join, sep } from 'node:path';
import { SourceError } from '../contract/errors.ts';
import type { AuthenticationLookups, AuthenticationSpec } from './authentication.ts';

const maxFileLength = 1024 * 1024;

/**
 * The values of a JSON file below the configured folder. Only for the cluster-wide kind, as in KEDA: whoever may write
 * into one namespace must not read the files of the machine.
 */
export async function readValuesFile(
  { kind, filePath }: AuthenticationSpec,
  lookups: AuthenticationLookups,
  title: string,
): Promise<Record<string, string>> {
  const path = filePath ?? '';
  const refuse = (message: string) => new SourceError('bad-setting', `${title}: ${message}`);
  if (kind !== 'ClusterTriggerAuthentication') throw refuse('filePath is for a ClusterTriggerAuthentication only');
  if (!lookups.fileRoot) throw refuse('filePath needs a folder of authentication files, and none is configured');
  if (isAbsolute(path) || path.includes('\0') || path.split(/[/\\]/).includes('..')) {
    throw refuse(
      `filePath must stay within the folder of authentication files: a relative path without .., found "${path}"`,
    );
  }
  const text = await readWithin(lookups, path, title);
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    values = null;
  }
  if (!isTexts(values)) throw refuse(`the file ${path} is not a JSON object whose values are all text`);
  return { ...values };
}

async function readWithin({ fileRoot, realPath, readFile }: AuthenticationLookups, path: string, title: string) {
  let real: string;
  let root: string;
  let text: string;
  try {
    root = await realPath(fileRoot ?? '');
    real = await realPath(join(root, path));
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw new SourceError(
        'bad-setting',
        `${title}: filePath ${path} leads out of the folder of authentication files`,
      );
    }
    text = await readFile(real);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw fileError(error, `the file ${path}`, title);
  }
  if (text.length <= maxFileLength) return text;
  throw new SourceError('bad-setting', `${title}: the file ${path} is larger than 1 MiB`);
}

/** Says why a file could not be read, without its content or the folders of the machine. */
export function fileError(error: unknown, what: string, title: string): SourceError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new SourceError('not-found', `${title}: ${what} does not exist`);
  if (code === 'EACCES' || code === 'EPERM')
    return new SourceError('unauthorized', `${title}: ${what} may not be read`);
  return new SourceError('bad-setting', `${title}: ${what} cannot be read (${String(code ?? 'unknown reason')})`);
}

function isTexts(values: unknown): values is Record<string, string> {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return false;
  return Object.values(values).every((value) => typeof value === 'string');
}
