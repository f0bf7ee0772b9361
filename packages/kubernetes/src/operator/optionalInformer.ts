import { isStatus, type KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { apiVersionOf, type Namespaces, type Resource } from '../client/resources.ts';
import { Informer, type InformerEvent } from '../informer/informer.ts';

export interface OptionalInformerOptions {
  readonly client: KubernetesClient;
  readonly resource: Resource;
  readonly namespace: Namespaces;
  onTrouble(message: string): void;
  onEvent(event: InformerEvent): void;
  /** The kind is there, and all of it is listed. */
  onKnown?(): void;
  /** A refusal is as good as none: the operator has rights in one namespace, and these objects are in no namespace. */
  readonly mayBeRefused?: boolean;
}

const lookAgainMs = 30_000;

/**
 * An informer of a kind that the cluster may not know yet, such as KEDA's: there are none then, and it is looked for
 * again from time to time.
 */
export class OptionalInformer {
  readonly #options: OptionalInformerOptions;
  #informer: Informer | null = null;
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(options: OptionalInformerOptions) {
    this.#options = options;
  }

  /** Resolves once everything is listed, or once it is known that there is no such kind. */
  async start(): Promise<void> {
    const { client, resource, namespace, onTrouble, onEvent } = this.#options;
    if (!(await client.discover(apiVersionOf(resource), resource.kind)) || (await this.#isRefused())) {
      if (!this.#closed) this.#cancel = client.clock.at(client.clock.nowMs() + lookAgainMs, () => void this.#again());
      return;
    }
    if (this.#closed) return;
    const informer = new Informer({ client, resource, namespace, onTrouble });
    this.#informer = informer;
    informer.watch(onEvent);
    await informer.start().synced;
    this.#options.onKnown?.();
  }

  /** Whether the cluster has the kind, as far as was seen. */
  get isKnown(): boolean {
    return this.#informer?.isSynced === true;
  }

  list(): KubernetesObject[] {
    return this.#informer?.list() ?? [];
  }

  get(at: { namespace: string; name: string }): KubernetesObject | null {
    return this.#informer?.get(at) ?? null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#informer?.close();
  }

  async #isRefused(): Promise<boolean> {
    const { client, resource, namespace, mayBeRefused } = this.#options;
    if (mayBeRefused !== true) return false;
    try {
      await client.probe(resource, namespace);
      return false;
    } catch (error) {
      if (isStatus(error, 403)) return true;
      throw error;
    }
  }

  async #again(): Promise<void> {
    try {
      await this.start();
    } catch (error) {
      this.#options.onTrouble(error instanceof Error ? error.message : String(error));
      const { clock } = this.#options.client;
      if (!this.#closed) this.#cancel = clock.at(clock.nowMs() + lookAgainMs, () => void this.#again());
    }
  }
}
