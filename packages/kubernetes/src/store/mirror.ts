import { type DocumentStore, StoreError, type StoredDocument } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import type { KubernetesClient } from '../client/client.ts';
import { permitted, readNamespaceRemedy } from '../client/missingPermission.ts';
import { resources } from '../client/resources.ts';
import { numberAt } from '../client/values.ts';

export interface MirrorOptions {
  /** Asked for Secrets and ConfigMaps, which are read one by one when a trigger is opened and never kept. */
  readonly client: KubernetesClient;
  readonly epoch: number;
}

const readThrough = { Secret: resources.secrets, ConfigMap: resources.configMaps } as const;

/**
 * The documents that the engine is told of: objects of the cluster as it has taken them in, and the Workloads that are
 * derived from scale targets. Users write them to the API server and never through this store; the informers bring them.
 */
export class DocumentMirror implements DocumentStore {
  readonly #options: MirrorOptions;
  readonly #documents = new Map<string, StoredDocument>();
  #version = 0;

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  async put(input: Parameters<DocumentStore['put']>[0]): Promise<StoredDocument> {
    const { expectedVersion, atMs, epoch, ...given } = input;
    this.#check(epoch);
    const id = idOf(given.kind, given.key);
    const found = this.#documents.get(id);
    checkVersion(id, found, expectedVersion);
    const changed = !found || JSON.stringify(specOf(found.document)) !== JSON.stringify(specOf(given.document));
    const stored: StoredDocument = {
      ...given,
      resourceVersion: ++this.#version,
      generation: generationOf(given.document) ?? (found?.generation ?? 0) + (changed ? 1 : 0),
      // The API server's clock may be ahead: what is there was made by now, or waits from its creation on would not end.
      createdAtMs: found?.createdAtMs ?? Math.min(createdAtMs(given.document) ?? atMs, atMs),
    };
    this.#documents.set(id, stored);
    return stored;
  }

  async get(kind: string, key: ObjectKey): Promise<StoredDocument | null> {
    if (kind === 'Secret' || kind === 'ConfigMap') return this.#read(kind, key);
    return this.#documents.get(idOf(kind, key)) ?? null;
  }

  async list(kind?: string): Promise<StoredDocument[]> {
    const all = [...this.#documents.values()].filter((one) => kind === undefined || one.kind === kind);
    return all.sort((left, right) => (idOf(left.kind, left.key) < idOf(right.kind, right.key) ? -1 : 1));
  }

  async delete(
    kind: string,
    key: ObjectKey,
    { expectedVersion, epoch }: { expectedVersion?: number; epoch: number },
  ): Promise<StoredDocument | null> {
    this.#check(epoch);
    const id = idOf(kind, key);
    const found = this.#documents.get(id);
    checkVersion(id, found, expectedVersion);
    this.#documents.delete(id);
    return found ?? null;
  }

  async #read(kind: keyof typeof readThrough, key: ObjectKey): Promise<StoredDocument | null> {
    const asked = this.#options.client.get(readThrough[kind], key);
    const object = await permitted(asked, readNamespaceRemedy(key.namespace));
    if (!object) return null;
    const { apiVersion, body, generation, createdAtMs: atMs } = object;
    return { apiVersion, kind, key, document: body, origin: null, resourceVersion: 1, generation, createdAtMs: atMs };
  }

  #check(epoch: number): void {
    if (epoch >= this.#options.epoch) return;
    throw new StoreError('stale-epoch', `epoch ${epoch} was replaced by ${this.#options.epoch}`);
  }
}

function idOf(kind: string, key: ObjectKey): string {
  return `${kind} ${keyText(key)}`;
}

function checkVersion(id: string, found: StoredDocument | undefined, expectedVersion: number | undefined): void {
  if (expectedVersion === undefined || (found?.resourceVersion ?? 0) === expectedVersion) return;
  throw new StoreError('conflict', `${id} is at version ${found?.resourceVersion ?? 0}, expected ${expectedVersion}`);
}

function specOf(document: unknown): unknown {
  return typeof document === 'object' && document !== null && 'spec' in document ? document.spec : document;
}

/** The cluster's own count, where the document has it: it outlives this store. */
function generationOf(document: unknown): number | null {
  return numberAt(document, 'metadata', 'generation');
}

/** When the object was made, as the cluster says. */
function createdAtMs(document: unknown): number | null {
  if (typeof document !== 'object' || document === null || !('metadata' in document)) return null;
  const { metadata } = document;
  if (typeof metadata !== 'object' || metadata === null || !('creationTimestamp' in metadata)) return null;
  const atMs = Date.parse(String(metadata.creationTimestamp));
  return Number.isFinite(atMs) ? atMs : null;
}
