import type { FleetMemory } from '@ebb/core';
import type { ClusterSpec, NodePoolSpec } from '@ebb/documents';
import { type EngineContext, isStaleEpoch } from '../context.ts';
import { messageOf } from '../replicaActions.ts';
import type { BoundPlace } from './replicaPlace.ts';

/** What is kept of a fleet over restarts. */
export interface SavedFleet {
  version: 1;
  memory: FleetMemory | null;
  /** As they were when its machines were bought: what is left of a deleted cluster is ended by them. */
  cluster: ClusterSpec | null;
  pools: readonly NodePoolSpec[];
  /** Of `LeastCost`. */
  least?: unknown;
  /** Replicas by id: where they are. */
  places: Record<string, BoundPlace>;
}

export const fleetPrefix = 'engine/fleet/';
const saveAgainMs = 1000;

/** Where a fleet is kept over restarts. */
export class FleetStore {
  readonly #context: EngineContext;
  readonly #cluster: string;
  #endWait: (() => void) | null = null;

  constructor(context: EngineContext, cluster: string) {
    this.#context = context;
    this.#cluster = cluster;
  }

  async load(): Promise<SavedFleet | null> {
    return asSaved(await this.#context.ports.store.state.load(fleetPrefix + this.#cluster));
  }

  async save(fleet: SavedFleet): Promise<void> {
    const { store } = this.#context.ports;
    await store.state.save(fleetPrefix + this.#cluster, fleet, this.#context.options.epoch);
  }

  /**
   * Resolves when the store has the fleet as it is then, however often it refuses, or once the engine is stopped. Rejects
   * where a newer engine has taken over.
   */
  async saveUntilDone(fleetNow: () => SavedFleet): Promise<void> {
    const { clock, log } = this.#context.ports;
    while (!this.#context.stopped) {
      try {
        await this.save(fleetNow());
        return;
      } catch (error) {
        if (isStaleEpoch(error)) throw error;
        log('warn', 'what was decided about machines is not saved yet', {
          cluster: this.#cluster,
          error: messageOf(error),
        });
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#endWait = resolve;
        const cancel = clock.at(clock.nowMs() + saveAgainMs, resolve);
        await promise;
        cancel();
      }
    }
  }

  /** The engine stops: nobody waits for a store that refuses. */
  stopWaiting(): void {
    this.#endWait?.();
  }
}

function asSaved(value: unknown): SavedFleet | null {
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1) return null;
  // Written by this very module; the version says so.
  return value as SavedFleet;
}
