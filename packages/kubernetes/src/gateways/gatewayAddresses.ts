import type { KubernetesObject } from '../client/objects.ts';
import { listAt, numberAt, textAt } from '../client/values.ts';
import { podView } from '../driver/pod.ts';
import type { Informer } from '../informer/informer.ts';
import type { Address } from './endpointSlices.ts';
import { gatewaySelector } from './gatewayPods.ts';

/** Name of the container's port that takes requests. */
const requestPortName = 'http';

/**
 * Tells at which addresses gateways take requests: those whose pods are ready and are not to end. At once, and then whenever they are
 * others. Returns the way to end it.
 */
export function followGatewayAddresses(
  { pods, namespace }: { readonly pods: Informer; readonly namespace: string },
  tell: (addresses: ReadonlyMap<string, Address>) => void,
): () => void {
  const known = new Map<string, Address>();
  const note = (pod: KubernetesObject, isGone: boolean): boolean => {
    if (pod.namespace !== namespace || !gatewaySelector(pod.labels)) return false;
    const address = isGone ? null : requestAddressOf(pod);
    if (JSON.stringify(address ?? undefined) === JSON.stringify(known.get(pod.name))) return false;
    if (address) known.set(pod.name, address);
    else known.delete(pod.name);
    return true;
  };
  for (const pod of pods.list()) note(pod, false);
  tell(new Map(known));
  return pods.watch((event) => {
    if (note(event.object, event.type === 'delete')) tell(new Map(known));
  });
}

function requestAddressOf(pod: KubernetesObject): Address | null {
  const { phase, ip } = podView(pod);
  if (phase !== 'ready' || ip === null) return null;
  for (const container of listAt(pod.body, 'spec', 'containers')) {
    for (const one of listAt(container, 'ports')) {
      const port = textAt(one, 'name') === requestPortName ? numberAt(one, 'containerPort') : null;
      if (port !== null) return addressAt(pod, ip, port);
    }
  }
  return null;
}

/** The address of a pod, with where it runs. */
export function addressAt(pod: KubernetesObject, ip: string, port: number): Address {
  const { namespace, name, uid } = pod;
  return { ip, port, node: textAt(pod.body, 'spec', 'nodeName'), pod: { namespace, name, uid } };
}
