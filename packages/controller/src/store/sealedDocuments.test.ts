import { randomBytes } from 'node:crypto';
import { MemoryStore } from '@ebb/testing';
import { expect, it } from 'vitest';
import { sealDocuments } from './sealedDocuments.ts';

const key = { cluster: 'local', namespace: 'default', name: 'login' };
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'login' },
  stringData: { password: 'hunter2hunter2' },
};
const input = { apiVersion: 'v1', kind: 'Secret', key, document: secret, origin: null, atMs: 1, epoch: 1 };

async function sealed() {
  const inner = new MemoryStore();
  const epoch = await inner.takeEpoch();
  const sealing = randomBytes(32);
  const store = sealDocuments(inner.documents, sealing);
  await store.put({ ...input, epoch });
  return { inner, store, epoch, sealing };
}

it('keeps nothing of a Secret in the clear, and gives it back', async () => {
  const { inner, store } = await sealed();
  expect(JSON.stringify(await inner.documents.list())).not.toContain('hunter2');
  expect((await store.get('Secret', key))?.document).toEqual(secret);
  expect((await store.list('Secret'))[0]?.document).toEqual(secret);
});

it('leaves other kinds as they are', async () => {
  const { inner, store, epoch } = await sealed();
  const map = { ...secret, kind: 'ConfigMap' };
  await store.put({ ...input, kind: 'ConfigMap', document: map, epoch });
  expect((await inner.documents.get('ConfigMap', key))?.document).toEqual(map);
});

it('refuses another key, and a sealed document in the place of another', async () => {
  const { inner, store, epoch } = await sealed();
  await expect(sealDocuments(inner.documents, randomBytes(32)).get('Secret', key)).rejects.toThrow(/not the one/);
  const stored = await inner.documents.get('Secret', key);
  await inner.documents.put({ ...input, key: { ...key, name: 'other' }, document: stored?.document, epoch });
  await expect(store.get('Secret', { ...key, name: 'other' })).rejects.toThrow(/cannot be unsealed/);
});
