import { join, relative } from 'node:path';
import type { WorkloadStatus } from '@ebb/documents';
import { type PictureFolders, pictureNames } from '../demo/pictures.ts';

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w./:@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * A curl line to paste, or null where the workload has no address. Where pictures lie beside its document one of them is
 * sent and the answer kept.
 */
export function requestText(
  workload: WorkloadStatus,
  folders: PictureFolders,
  workingDirectory: string,
): string | null {
  const { url, name } = workload;
  if (url === null) return null;
  const folder = folders.get(name);
  const picture = folder === undefined ? undefined : pictureNames(folder)[0];
  if (folder === undefined || picture === undefined) return `curl ${quoted(url)}`;
  const path = relative(workingDirectory, join(folder, picture));
  const type = picture.toLowerCase().endsWith('.png') ? 'image/png' : 'image/jpeg';
  return `curl -H content-type:${type} --data-binary ${quoted(`@${path}`)} ${quoted(url)} -o larger.png`;
}
