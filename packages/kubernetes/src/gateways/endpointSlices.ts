import type { KubernetesObject } from '../client/objects.ts';
import { isObject, type JsonObject, listAt, numberAt, textAt } from '../client/values.ts';
import type { PathMode } from './serveMode.ts';
import type { ServeService } from './serveService.ts';

/** On every EndpointSlice: who keeps it. Others of the same Service are theirs. */
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const sliceManager = 'ebb.dev';
export const serviceLabel = 'kubernetes.io/service-name';
/** What the next operator goes on from. */
const modeOfSlice = 'ebb.dev/path';
const loadOfSlice = 'ebb.dev/load-per-replica';
/** As many as the API server takes in one slice. */
export const mostEndpoints = 1000;

export interface Address {
  readonly ip: string;
  readonly port: number;
  readonly node: string | null;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string } | null;
}

export interface SliceContent {
  readonly mode: PathMode;
  readonly loadPerReplica: number;
  readonly addresses: readonly Address[];
}

/** The EndpointSlice of one Service and one sort of address, as it is applied. */
export interface Slice {
  readonly name: string;
  readonly body: JsonObject;
}

export function isOwnSlice({ labels }: Pick<KubernetesObject, 'labels'>): boolean {
  return labels[managedByLabel] === sliceManager;
}

/** Slices of a Service, by its name: one for each sort of address. */
export function sliceNames(service: string): { readonly IPv4: string; readonly IPv6: string } {
  return { IPv4: `${service}-ebb`, IPv6: `${service}-ebb-ipv6` };
}

/**
 * What a Service's slices are to be. A sort of address that is not there any more keeps its slice, empty. All endpoints of a
 * slice have one port: of others than the first address's port there are none.
 */
export function slicesOf(
  service: KubernetesObject,
  { port, family }: ServeService,
  { mode, loadPerReplica, addresses }: SliceContent,
  present: ReadonlySet<string>,
): Slice[] {
  const names = sliceNames(service.name);
  const sorted = [...addresses].sort((left, right) => (left.ip < right.ip ? -1 : 1));
  const number = sorted[0]?.port ?? null;
  const families = (['IPv4', 'IPv6'] as const).filter((one) => {
    const isThere = sorted.some(({ ip }) => familyOf(ip) === one) || present.has(names[one]);
    return isThere || (sorted.length === 0 && one === family);
  });
  return families.map((one) => ({
    name: names[one],
    body: {
      metadata: {
        name: names[one],
        namespace: service.namespace,
        labels: { [serviceLabel]: service.name, [managedByLabel]: sliceManager },
        annotations: { [modeOfSlice]: mode, [loadOfSlice]: String(Math.round(loadPerReplica * 1000) / 1000) },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Service', name: service.name, uid: service.uid, controller: true },
        ],
      },
      addressType: one,
      endpoints: sorted.filter(({ ip, port: at }) => familyOf(ip) === one && at === number).map(endpointOf),
      ports:
        number === null
          ? []
          : [
              {
                name: port.name,
                port: number,
                protocol: 'TCP',
                ...(port.appProtocol === null ? {} : { appProtocol: port.appProtocol }),
              },
            ],
    },
  }));
}

function endpointOf({ ip, node, pod }: Address): JsonObject {
  return {
    addresses: [ip],
    conditions: { ready: true, serving: true, terminating: false },
    ...(node === null || node === '' ? {} : { nodeName: node }),
    ...(pod ? { targetRef: { kind: 'Pod', ...pod } } : {}),
  };
}

function familyOf(ip: string): 'IPv4' | 'IPv6' {
  return ip.includes(':') ? 'IPv6' : 'IPv4';
}

/** What of a slice is ours to say, as text: two that are the same are the same for clients. */
export function sliceText(body: JsonObject): string {
  const metadata = isObject(body.metadata) ? body.metadata : {};
  const annotations = isObject(metadata.annotations) ? metadata.annotations : {};
  const endpoints = listAt(body, 'endpoints').map((one) => [
    listAt(one, 'addresses'),
    isObject(one) && isObject(one.conditions) ? one.conditions.ready : null,
    textAt(one, 'nodeName'),
    textAt(one, 'targetRef', 'uid'),
  ]);
  const ports = listAt(body, 'ports').map((one) => [
    textAt(one, 'name') ?? '',
    numberAt(one, 'port'),
    textAt(one, 'appProtocol'),
  ]);
  return JSON.stringify([annotations[modeOfSlice], annotations[loadOfSlice], endpoints, ports]);
}

/** Addresses that a slice sends requests to. */
export function addressesOf(body: JsonObject): string[] {
  return listAt(body, 'endpoints').flatMap((one) =>
    listAt(one, 'addresses').filter((address) => typeof address === 'string'),
  );
}

/** Which way a slice leads, and what was seen for each replica; null: it does not say. */
export function pathOfSlice({
  annotations,
}: Pick<KubernetesObject, 'annotations'>): Omit<SliceContent, 'addresses'> | null {
  const mode = annotations[modeOfSlice];
  if (mode !== 'proxy' && mode !== 'serve') return null;
  const load = Number(annotations[loadOfSlice] ?? 0);
  return { mode, loadPerReplica: Number.isFinite(load) && load >= 0 ? load : 0 };
}
