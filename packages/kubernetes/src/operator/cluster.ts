import type { KubernetesClient } from '../client/client.ts';
import { type Namespaces, resources } from '../client/resources.ts';
import { slimPod } from '../client/slim.ts';
import { Informer, type InformerEvent } from '../informer/informer.ts';
import { scaledJobLabel } from '../jobs/jobObject.ts';
import { AutoscalerIndex } from './autoscalerIndex.ts';
import { OptionalInformer } from './optionalInformer.ts';
import { Targets } from './targets.ts';

export interface ClusterViewOptions {
  readonly client: KubernetesClient;
  readonly namespace: Namespaces;
  onTrouble(message: string): void;
}

/** Everything of the cluster that decisions rest on, followed from the start of the process and not only while it leads. */
export class ClusterView {
  readonly namespace: Namespaces;
  readonly pods: Informer;
  readonly scaledObjects: OptionalInformer;
  readonly scaledJobs: OptionalInformer;
  /** Of ScaledJobs. Started by whoever follows those, when there is one. */
  readonly jobs: Informer;
  readonly workloads: OptionalInformer;
  readonly autoscalers: OptionalInformer;
  /** The same by what they scale. */
  readonly autoscalersOf = new AutoscalerIndex();
  readonly authentications: OptionalInformer;
  readonly clusterAuthentications: OptionalInformer;
  readonly httpScaledObjects: OptionalInformer;
  readonly interceptorRoutes: OptionalInformer;
  readonly targets: Targets;
  #listener: (event: InformerEvent) => void = () => {};

  constructor({ client, namespace, onTrouble }: ClusterViewOptions) {
    this.namespace = namespace;
    const onEvent = (event: InformerEvent) => this.#listener(event);
    const optional = (resource: (typeof resources)[keyof typeof resources], index?: AutoscalerIndex) =>
      new OptionalInformer({
        client,
        resource,
        namespace: resource.namespaced ? namespace : null,
        mayBeRefused: namespace !== null && !resource.namespaced,
        onTrouble,
        onEvent(event) {
          index?.onEvent(event);
          onEvent(event);
        },
      });
    this.pods = new Informer({ client, resource: resources.pods, namespace, slim: slimPod, onTrouble });
    this.scaledObjects = optional(resources.scaledObjects);
    this.scaledJobs = optional(resources.scaledJobs);
    const jobs = { client, resource: resources.jobs, namespace, onTrouble, labelSelector: scaledJobLabel };
    this.jobs = new Informer(jobs);
    this.workloads = optional(resources.workloads);
    this.autoscalers = optional(resources.horizontalPodAutoscalers, this.autoscalersOf);
    this.authentications = optional(resources.triggerAuthentications);
    this.clusterAuthentications = optional(resources.clusterTriggerAuthentications);
    this.httpScaledObjects = optional(resources.httpScaledObjects);
    this.interceptorRoutes = optional(resources.interceptorRoutes);
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
    await Promise.all([
      this.pods.close(),
      this.jobs.close(),
      this.targets.close(),
      ...this.#optional().map((one) => one.close()),
    ]);
  }

  #optional(): OptionalInformer[] {
    const { scaledObjects, scaledJobs, workloads, autoscalers, authentications, clusterAuthentications } = this;
    const { httpScaledObjects, interceptorRoutes } = this;
    return [
      ...[scaledObjects, scaledJobs, workloads, autoscalers, authentications, clusterAuthentications],
      ...[httpScaledObjects, interceptorRoutes],
    ];
  }
}
