import { folderStorage } from './folder.ts';
import { s3Storage } from './s3.ts';
import type { Storage } from './storage.ts';

/** Variables that say where the storage is, for the page and for Jobs. */
export const storageVariables = ['S3_ENDPOINT', 'S3_BUCKET', 'S3_REGION', 'STORAGE_FOLDER'] as const;
export const secretStorageVariables = ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'S3_SESSION_TOKEN'] as const;

/** The storage that the environment names: `S3_ENDPOINT` and what belongs to it, else `STORAGE_FOLDER`. */
export function openStorage(env: Readonly<Record<string, string | undefined>>): Storage {
  const { S3_ENDPOINT: endpoint, STORAGE_FOLDER: folder } = env;
  if (!endpoint) {
    if (folder) return folderStorage(folder);
    throw new Error('no storage is set: S3_ENDPOINT and S3_BUCKET, or STORAGE_FOLDER');
  }
  const needed = (name: string) => {
    const value = env[name];
    if (!value) throw new Error(`S3_ENDPOINT is set, so ${name} must be set too`);
    return value;
  };
  if (!URL.canParse(endpoint))
    throw new Error(`S3_ENDPOINT must be a URL such as https://s3.example.com, found "${endpoint}"`);
  return s3Storage({
    endpoint: new URL(endpoint),
    bucket: needed('S3_BUCKET'),
    region: env.S3_REGION || 'us-east-1',
    accessKeyId: needed('S3_ACCESS_KEY_ID'),
    secretAccessKey: needed('S3_SECRET_ACCESS_KEY'),
    ...(env.S3_SESSION_TOKEN ? { sessionToken: env.S3_SESSION_TOKEN } : {}),
  });
}
