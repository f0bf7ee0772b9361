import type { KubernetesClient } from '../client/client.ts';
import { resources } from '../client/resources.ts';
import { Informer, type InformerEvent } from '../informer/informer.ts';
import { OptionalInformer } from './optionalInformer.ts';
import { Targets } from './targets.ts';

export interface ClusterViewOptions {
  readonly client: KubernetesClient;
  /** Null: all namespaces. */
  readonly namespace: string | null;
  onTrouble(message: string): void;
}

/** Everything of the cluster that decisions rest on, followed from the start of the process and not only while it leads. */
export class ClusterView {
  readonly pods: Informer;
  readonly scaledObjects: OptionalInformer;
  readonly workloads: OptionalInformer;
  readonly autoscalers: OptionalInformer;
  readonly authentications: OptionalInformer;
  readonly clusterAuthentications: OptionalInformer;
  readonly targets: Targets;
  #listener: (event: InformerEvent) => void = () => {};

  constructor({ client, namespace, onTrouble }: ClusterViewOptions) {
    const onEvent = (event: InformerEvent) => this.#listener(event);
    const optional = (resource: (typeof resources)[keyof typeof resources]) =>
      new OptionalInformer({
        client,
        resource,
        namespace: resource.namespaced ? namespace : null,
        onTrouble,
        onEvent,
      });
    this.pods = new Informer({ client, resource: resources.pods, namespace, onTrouble });
    this.scaledObjects = optional(resources.scaledObjects);
    this.workloads = optional(resources.workloads);
    this.autoscalers = optional(resources.horizontalPodAutoscalers);
    this.authentications = optional(resources.triggerAuthentications);
    this.clusterAuthentications = optional(resources.clusterTriggerAuthentications);
    this.targets = new Targets({ client, namespace, onEvent, onTrouble });
  }

  /** Resolves once everything is listed. */
  async start(): Promise<void> {
    await Promise.all([
      this.pods.start().synced,
      this.targets.start(),
      ...this.#optional().map((informer) => informer.start()),
    ]);
  }

  /** Changes from now on of everything but pods; one listener at a time. */
  listen(listener: (event: InformerEvent) => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = () => {};
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.pods.close(), this.targets.close(), ...this.#optional().map((one) => one.close())]);
  }

  #optional(): OptionalInformer[] {
    const { scaledObjects, workloads, autoscalers, authentications, clusterAuthentications } = this;
    return [scaledObjects, workloads, autoscalers, authentications, clusterAuthentications];
  }
}
