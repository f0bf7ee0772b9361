import { type NodeLaunch, ProviderError } from '@ebb/core';
import { keyText, type NodePoolSpec } from '@ebb/documents';
import type { ProviderSettings } from '../contract.ts';

/** What a provider lets through: questions while it is open, and launches of its own cluster's machines that were not ended. */
export class Gate {
  readonly #settings: ProviderSettings;
  readonly #endedIds = new Set<string>();
  #isClosed = false;

  constructor(settings: ProviderSettings) {
    this.#settings = settings;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** The machine with this id was asked to end: a launch of it that comes later is refused. */
  ended(id: string): void {
    this.#endedIds.add(id);
  }

  /** @throws ProviderError `unavailable` once it is closed */
  checkOpen(): void {
    if (this.#isClosed) throw new ProviderError('unavailable', 'this provider is closed');
  }

  /**
   * The pool of a launch, and how the cloud makes the pool's machines. `field` of the pool's document says the latter.
   * @throws ProviderError `unavailable` once it is closed; `refused` where the launch is none of this provider's
   */
  poolOf<Settings>(
    launch: NodeLaunch,
    { cloud, field, of }: { cloud: string; field: string; of(pool: NodePoolSpec): Settings | null },
  ): { pool: NodePoolSpec; settings: Settings } {
    this.checkOpen();
    const { cluster } = this.#settings;
    if (launch.cluster !== cluster) {
      throw new ProviderError('refused', `this provider is cluster ${cluster}'s, not ${launch.cluster}'s`);
    }
    if (this.#endedIds.has(launch.id)) throw new ProviderError('refused', `the machine ${launch.id} has been ended`);
    const pool = this.#settings.pools().find(({ key }) => keyText(key) === launch.pool);
    const settings = pool ? of(pool) : null;
    if (pool && settings) return { pool, settings };
    const what = pool ? `does not say how ${cloud} makes its machines: ${field}` : 'is not there';
    throw new ProviderError('refused', `pool ${launch.pool} ${what}`);
  }
}
