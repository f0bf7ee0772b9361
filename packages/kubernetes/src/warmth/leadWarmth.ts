import type { ObjectKey } from '@ebb/documents';
import type { KubernetesClient } from '../client/client.ts';
import { resources } from '../client/resources.ts';
import { Informer, type InformerEvent } from '../informer/informer.ts';
import type { ClusterView } from '../operator/cluster.ts';
import type { WantedReader } from '../operator/wanted.ts';
import { type WarmthImages, warmthLabel } from './objects.ts';
import { Warmth } from './warmth.ts';

export interface LeadWarmthOptions {
  readonly client: KubernetesClient;
  readonly view: ClusterView;
  readonly reader: Pick<WantedReader, 'claimsOf'>;
  readonly images: WarmthImages;
  mayWrite(): boolean;
  changed(workload: ObjectKey): void;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

/** The warmth of targets for one time of leading; its own DaemonSets are followed, and no others. */
export function leadWarmth(options: LeadWarmthOptions) {
  const { client, view, reader, images, mayWrite, changed, log } = options;
  const daemonSets = new Informer({
    ...{ client, resource: resources.daemonSets, namespace: view.namespace, labelSelector: warmthLabel },
    onTrouble: (error) => log('warn', 'DaemonSets are asked for again', { error }),
  });
  const deployments = {
    get: (at: { namespace: string; name: string }) => view.targets.get(resources.deployments, at),
    list: () => view.targets.list(resources.deployments),
  };
  const warmth = new Warmth({
    ...{ client, images, daemonSets, deployments, mayWrite, changed, log },
    targetOf: ({ resource, namespace, name }) => view.targets.get(resource, { namespace, name }),
    claimsOf: (workload) => {
      const own = view.workloads.get(workload);
      return [...(own ? [own] : []), ...reader.claimsOf(workload)];
    },
  });
  daemonSets.watch((event) => warmth.seen(event));
  void daemonSets.start().synced.then(() => warmth.begin());
  return {
    companion: warmth,
    /** What else is followed of the cluster: its Deployments are there with all others. */
    onEvent(event: InformerEvent): void {
      if (event.object.kind === 'Deployment') warmth.seen(event);
    },
    conditionOf: (workload: ObjectKey) => warmth.conditionOf(workload),
    settled: () => warmth.settled(),
    async close(): Promise<void> {
      warmth.close();
      await daemonSets.close();
    },
  };
}
