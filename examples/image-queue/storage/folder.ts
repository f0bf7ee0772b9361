import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { NotStored, type Storage } from './storage.ts';

/** A folder that the page and all Jobs see: of this machine, or one that is mounted on several. */
export function folderStorage(folder: string): Storage {
  const root = resolve(folder);
  const pathOf = (key: string) => {
    const path = join(root, key);
    if (relative(root, path).startsWith('..')) throw new Error(`the key ${key} leads out of the storage`);
    return path;
  };
  return {
    place: `the folder ${root}`,
    async put(key, bytes) {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true });
      const fresh = `${path}.${randomBytes(6).toString('hex')}.part`;
      try {
        await writeFile(fresh, bytes, { flush: true });
        await rename(fresh, path);
      } catch (error) {
        await rm(fresh, { force: true });
        throw error;
      }
    },
    async get(key) {
      try {
        return await readFile(pathOf(key));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
          throw new NotStored(key, `the folder ${root}`);
        throw error;
      }
    },
  };
}
