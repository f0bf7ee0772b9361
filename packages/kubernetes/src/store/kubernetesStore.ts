import { type StateStore, type Store, StoreError } from '@ebb/core';
import type { KubernetesClient } from '../client/client.ts';
import { DocumentMirror } from './mirror.ts';

export interface KubernetesStoreOptions {
  readonly client: KubernetesClient;
  /** Has journal, ledger and state: a file on a volume, or memory. */
  readonly embedded: Store;
  /** The leader's epoch, from its lease. */
  readonly epoch: number;
}

/**
 * Documents are the cluster's, everything else is in the embedded store. Epochs come from the lease; the embedded store
 * counts its own, because a volume may have seen leaders that this lease knows nothing of.
 */
export async function kubernetesStore({ client, embedded, epoch }: KubernetesStoreOptions): Promise<Store> {
  const own = await embedded.takeEpoch();
  const { state } = embedded;
  const fenced: StateStore = {
    save(name, value, written) {
      if (written < epoch) return Promise.reject(replaced(written, epoch));
      return state.save(name, value, own);
    },
    load: (name) => state.load(name),
    names: (prefix) => state.names(prefix),
    drop: (name) => state.drop(name),
  };
  return {
    documents: new DocumentMirror({ client, epoch }),
    journal: embedded.journal,
    ledger: embedded.ledger,
    state: fenced,
    takeEpoch: async () => epoch,
    close: async () => {},
  };
}

function replaced(written: number, epoch: number): StoreError {
  return new StoreError('stale-epoch', `epoch ${written} was replaced by ${epoch}`);
}
