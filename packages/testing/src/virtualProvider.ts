import type { NodeEvent, NodeLaunch, NodeObservation, Provider } from '@ebb/core';
import { ProviderError } from '@ebb/core';
import { VirtualCloud, type VirtualCloudOptions } from './virtualCloud.ts';

export interface VirtualProviderOptions extends VirtualCloudOptions {
  /** Name of the cluster. Default: `local`. */
  cluster?: string;
  /** Shared with other clusters' providers, and with a provider that comes after this one. Default: a cloud of its own. */
  cloud?: VirtualCloud;
}

/**
 * Rents machines that exist only in virtual time. Faults are those of its `cloud`, and `disconnect`, which cuts this provider off:
 * calls are `unavailable`, nothing is told, and a snapshot follows `reconnect`.
 */
export class VirtualProvider implements Provider {
  readonly name = 'virtual';
  readonly cloud: VirtualCloud;
  readonly #cluster: string;
  /** Each with whether it had its first snapshot. */
  readonly #listeners = new Map<(event: NodeEvent) => void, boolean>();
  readonly #stopListening: () => void;
  #connected = true;
  #closed = false;
  /** Calls of `launch`, `terminate` and `list`. */
  asked = 0;

  constructor(options: VirtualProviderOptions) {
    this.cloud = options.cloud ?? new VirtualCloud(options);
    this.#cluster = options.cluster ?? 'local';
    this.#stopListening = this.cloud.listen(({ cluster, node }) => {
      if (cluster !== this.#cluster) return;
      this.#later(() => this.#tell({ type: 'node', node }));
    });
  }

  async launch(launch: NodeLaunch): Promise<void> {
    this.asked++;
    await this.#cross();
    if (launch.cluster !== this.#cluster)
      throw new ProviderError('refused', `this provider is cluster ${this.#cluster}'s, not ${launch.cluster}'s`);
    this.cloud.launch(launch);
  }

  async terminate(node: { id: string } | { providerId: string }): Promise<void> {
    this.asked++;
    await this.#cross();
    this.cloud.terminate(this.#cluster, 'id' in node ? node.id : node.providerId);
  }

  async list(): Promise<NodeObservation[]> {
    this.asked++;
    await this.#cross();
    this.cloud.checkThrottle();
    return this.#own();
  }

  watch(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.set(listener, false);
    const nodes = this.#own();
    this.#later(() => {
      if (this.#listeners.get(listener) !== false) return;
      this.#listeners.set(listener, true);
      listener({ type: 'snapshot', nodes });
    });
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    this.#stopListening();
  }

  disconnect(message = 'the cloud is not reachable'): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#tell({ type: 'disconnected', message });
  }

  /** Followed by a snapshot, as after every reconnection. */
  reconnect(): void {
    if (this.#connected) return;
    this.#connected = true;
    const nodes = this.#own();
    this.#later(() => {
      for (const listener of this.#listeners.keys()) this.#listeners.set(listener, true);
      this.#tell({ type: 'snapshot', nodes });
    });
  }

  #own(): NodeObservation[] {
    return this.cloud.machines().filter(({ cluster }) => cluster === this.#cluster);
  }

  #later(action: () => void): void {
    this.cloud.clock.afterUs(this.cloud.linkMs * 1000, () => {
      if (this.#connected) action();
    });
  }

  #cross(): Promise<void> {
    const away = () => new ProviderError('unavailable', this.#closed ? 'closed' : 'the cloud is not reachable');
    return new Promise((resolve, reject) => {
      if (!this.#connected || this.#closed) return reject(away());
      this.cloud.clock.afterUs(this.cloud.linkMs * 1000, () => {
        if (this.#connected && !this.#closed) resolve();
        else reject(away());
      });
    });
  }

  #tell(event: NodeEvent): void {
    for (const [listener, began] of [...this.#listeners]) if (began) listener(event);
  }
}
