import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ParsedDocument } from '@ebb/documents';
import { Failure } from '../failure.ts';
import type { SourceText } from '../files.ts';
import { imageSize } from './imageSize.ts';

export interface Picture {
  name: string;
  bytes: Buffer;
  contentType: string;
  width: number;
  height: number;
}

/** Folder of pictures by the name of the workload they are for. */
export type PictureFolders = ReadonlyMap<string, string>;

/** Names of the PNG and JPEG files of a folder, in order; empty where there is no such folder. */
export function pictureNames(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /\.(png|jpe?g)$/i.test(name))
    .sort();
}

/** For each workload with pictures in a folder `images` beside its document: that folder. */
export function findPictureFolders(
  documents: readonly ParsedDocument[],
  sources: readonly SourceText[],
): PictureFolders {
  const folders = new Map<string, string>();
  for (const { kind, key, file } of documents) {
    const path = sources.find(({ name }) => name === file)?.path;
    if (kind !== 'Workload' || !path) continue;
    const folder = join(dirname(path), 'images');
    if (pictureNames(folder).length > 0) folders.set(key.name, folder);
  }
  return folders;
}

/** The pictures of a folder. Throws where there is none that can be read. */
export function readPictures(folder: string): Picture[] {
  const pictures = pictureNames(folder).flatMap((name) => {
    const bytes = readFileSync(join(folder, name));
    const size = imageSize(bytes);
    return size ? [{ name, bytes, contentType: `image/${size.type}`, width: size.width, height: size.height }] : [];
  });
  if (pictures.length === 0) throw new Failure('usage', `there is no PNG or JPEG picture in ${folder}`);
  return pictures;
}
