import type { KubernetesObject } from '../client/objects.ts';
import { selectorOf } from '../client/selector.ts';
import { listAt, numberAt, textAt } from '../client/values.ts';
import type { Informer } from '../informer/informer.ts';
import type { FoundGateway } from './connection.ts';

/** Labels of gateway pods, which never change. */
export const gatewayPodLabels = { 'app.kubernetes.io/name': 'ebb', 'app.kubernetes.io/component': 'gateway' };
/** Name of the container's port that operators connect to. */
export const linkPortName = 'link';
export const gatewaySelector = selectorOf({ matchLabels: gatewayPodLabels });

export interface GatewayPodsOptions {
  readonly pods: Informer;
  /** Where gateways run: pods of other namespaces are nobody's gateway, whatever their labels say. */
  readonly namespace: string;
  /** A pod is there, running or not. */
  onPod(): void;
  found(gateway: FoundGateway): void;
  /** Its processes have ended: the pod has, or is no more. */
  lost(name: string): void;
}

/** Tells of the gateway pods that there are, and of each change. Returns the way to end it. */
export function followGatewayPods({ pods, namespace, onPod, found, lost }: GatewayPodsOptions): () => void {
  const isGateway = (pod: KubernetesObject) => pod.namespace === namespace && gatewaySelector(pod.labels);
  const seen = (pod: KubernetesObject) => {
    if (!isGateway(pod)) return;
    onPod();
    const phase = textAt(pod.body, 'status', 'phase');
    const host = textAt(pod.body, 'status', 'podIP');
    const port = linkPortOf(pod);
    if (phase === 'Succeeded' || phase === 'Failed') lost(pod.name);
    else if (phase === 'Running' && host && port !== null) {
      found({ name: pod.name, host, port, isLeaving: pod.deletedAtMs !== null });
    }
  };
  const unwatch = pods.watch((event) => {
    if (event.type === 'put') seen(event.object);
    else if (isGateway(event.object)) lost(event.object.name);
  });
  for (const pod of pods.list()) seen(pod);
  return unwatch;
}

function linkPortOf({ body }: KubernetesObject): number | null {
  for (const container of listAt(body, 'spec', 'containers')) {
    for (const port of listAt(container, 'ports')) {
      if (textAt(port, 'name') === linkPortName) return numberAt(port, 'containerPort');
    }
  }
  return null;
}
