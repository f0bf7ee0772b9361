import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { type DocumentStore, type StoredDocument, StoreError } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import { writeFileAtomic } from '../writeFileAtomic.ts';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
/** Kinds that are never on the disk in the clear. */
const sealedKinds = new Set(['Secret']);

/** The key that Secrets are sealed with: made on the first start, in a file that only the owner may read. */
export function readOrMakeSealingKey(path: string): Buffer {
  if (!existsSync(path)) writeFileAtomic(path, `${randomBytes(keyBytes).toString('base64')}\n`);
  chmodSync(path, 0o600);
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
  if (key.length === keyBytes) return key;
  throw new StoreError(
    'corrupt',
    `${path} does not hold a key of ${keyBytes} bytes: stored Secrets cannot be read without it`,
  );
}

/**
 * A document store whose Secrets are sealed at rest (AES-256-GCM, the object's own key bound to it, so that one sealed
 * document cannot be put in another's place).
 */
export function sealDocuments(store: DocumentStore, key: Buffer): DocumentStore {
  const open = (stored: StoredDocument): StoredDocument =>
    sealedKinds.has(stored.kind) ? { ...stored, document: unseal(stored, key) } : stored;
  return {
    async put(input) {
      if (!sealedKinds.has(input.kind)) return store.put(input);
      return open(await store.put({ ...input, document: seal(input, key) }));
    },
    async get(kind, objectKey) {
      const stored = await store.get(kind, objectKey);
      return stored && open(stored);
    },
    async list(kind) {
      return (await store.list(kind)).map(open);
    },
    async delete(kind, objectKey, options) {
      const stored = await store.delete(kind, objectKey, options);
      return stored && open(stored);
    },
  };
}

interface Named {
  kind: string;
  key: ObjectKey;
}

function seal({ document, ...named }: Named & { document: unknown }, key: Buffer): { sealed: string } {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(named));
  const text = Buffer.concat([cipher.update(JSON.stringify(document), 'utf8'), cipher.final()]);
  return { sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64') };
}

function unseal(stored: StoredDocument, key: Buffer): unknown {
  const { document } = stored;
  const name = `${stored.kind} ${keyText(stored.key)}`;
  if (typeof document !== 'object' || document === null || !('sealed' in document)) {
    throw new StoreError('corrupt', `${name} is stored and not sealed`);
  }
  const bytes = Buffer.from(String(document.sealed), 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes)).setAAD(boundTo(stored));
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
    return JSON.parse(text.toString('utf8')) as unknown;
  } catch {
    throw new StoreError(
      'corrupt',
      `${name} cannot be unsealed: the key in the data directory is not the one it was sealed with`,
    );
  }
}

function boundTo({ kind, key }: Named): Buffer {
  return Buffer.from(`${kind} ${keyText(key)}`, 'utf8');
}
