import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openStorage } from './openStorage.ts';
import { NotStored } from './storage.ts';

const folder = mkdtempSync(join(tmpdir(), 'image-queue-storage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * The folder always; and a real S3-compatible server when the variables that the example takes name one:
 * `S3_ENDPOINT=http://127.0.0.1:9000 S3_BUCKET=pictures S3_ACCESS_KEY_ID=… S3_SECRET_ACCESS_KEY=…`.
 */
const storages = [
  { name: 'a folder', env: { STORAGE_FOLDER: folder } },
  ...(process.env.S3_ENDPOINT ? [{ name: process.env.S3_ENDPOINT, env: process.env }] : []),
];
if (storages.length === 1) console.warn('storage: SKIPPED the S3 server: S3_ENDPOINT is not set');

describe.each(storages)('storage on $name', ({ env }) => {
  const storage = openStorage(env);
  const id = randomUUID();

  it('gives back the bytes that were put, and the latest ones', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 251));
    await storage.put(`${id}/result.png`, bytes, 'image/png');
    expect((await storage.get(`${id}/result.png`)).equals(bytes)).toBe(true);
    await storage.put(`${id}/result.png`, Buffer.from('later'), 'image/png');
    expect((await storage.get(`${id}/result.png`)).toString()).toBe('later');
  });

  it('says what is not there', async () => {
    await expect(storage.get(`${id}/missing.png`)).rejects.toThrow(NotStored);
    await expect(storage.get(`${id}/missing.png`)).rejects.toThrow(`there is no ${id}/missing.png in ${storage.place}`);
  });

  it('takes writers of one key at once', async () => {
    const puts = Array.from({ length: 8 }, (_, index) =>
      storage.put(`${id}/same`, Buffer.alloc(5000, index), 'image/png'),
    );
    await Promise.all(puts);
    expect(new Set(await storage.get(`${id}/same`)).size).toBe(1);
  });
});

describe('storage', () => {
  it('in a folder leaves nothing half written and never leaves the folder', async () => {
    const storage = openStorage({ STORAGE_FOLDER: join(folder, 'own') });
    await storage.put('a/b.png', Buffer.from('x'), 'image/png');
    expect(readdirSync(join(folder, 'own', 'a'))).toEqual(['b.png']);
    await expect(storage.get('../../../etc/passwd')).rejects.toThrow('leads out of the storage');
  });

  it.each<[Record<string, string>, string]>([
    [{}, 'S3_ENDPOINT and S3_BUCKET, or STORAGE_FOLDER'],
    [{ S3_ENDPOINT: 'http://127.0.0.1:9000' }, 'S3_BUCKET must be set too'],
    [{ S3_ENDPOINT: 'http://127.0.0.1:9000', S3_BUCKET: 'b' }, 'S3_ACCESS_KEY_ID must be set too'],
    [{ S3_ENDPOINT: 'minio' }, 'must be a URL'],
  ])('says what of %o is missing', (env, why) => {
    expect(() => openStorage(env)).toThrow(why);
  });
});
