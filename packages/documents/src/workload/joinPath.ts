/**
 * Joins a relative POSIX path to an absolute folder and removes `.`, `..` and doubled slashes; an absolute path is
 * only tidied. Pure, because documents are also read where there is no file system.
 */
export function joinPath(baseDirectory: string, path: string): string {
  if (!baseDirectory.startsWith('/')) throw new Error(`the base directory "${baseDirectory}" is not absolute`);
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${baseDirectory}/${path}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The folder of an absolute file name, in the same tidy form. */
export function folderOf(file: string): string {
  return joinPath('/', file.slice(0, file.lastIndexOf('/') + 1));
}
