import { nearest, parseDuration } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { listAt, textAt, textsAt } from '../client/values.ts';

/** A Service with this label has its endpoints from Ebb. */
export const serveLabel = { name: 'ebb.dev/gateway', value: 'serve' } as const;
export const serveSelector = `${serveLabel.name}=${serveLabel.value}`;

/** What may be said of such a Service, by annotations. */
export const serveAnnotations = {
  workload: 'ebb.dev/workload',
  targetBurstCapacity: 'ebb.dev/target-burst-capacity',
  endpointGrace: 'ebb.dev/endpoint-grace',
  serveAfter: 'ebb.dev/serve-after',
} as const;
/** Knative's own, where Ebb's is not there. */
const knativeBurst = 'autoscaling.knative.dev/target-burst-capacity';
const ownPrefix = 'ebb.dev/';

export const defaultEndpointGraceMs = 5_000;
export const defaultServeAfterMs = 30_000;
const longestGraceMs = 300_000;
const largestBurst = 1_000_000;

export interface ServeService {
  /** Of the same namespace. */
  readonly workload: string;
  /** Null: not said. */
  readonly targetBurstCapacity: number | null;
  /** What proxies of the cluster take at most to hear of new endpoints. */
  readonly endpointGraceMs: number;
  readonly serveAfterMs: number;
  readonly port: { readonly name: string; readonly appProtocol: string | null };
  readonly family: 'IPv4' | 'IPv6';
}

/** What is wrong with one: its endpoints stay as they are, but those of Ebb go where `isOthers`. */
export interface ServeProblem {
  readonly code: string;
  readonly message: string;
  /** Its endpoints are somebody else's affair. */
  readonly isOthers?: true;
}

export function isServeService({ labels }: Pick<KubernetesObject, 'labels'>): boolean {
  return labels[serveLabel.name] === serveLabel.value;
}

/** What a Service with the label says, or what is wrong with it. */
export function readServeService(service: KubernetesObject): ServeService | { readonly problem: ServeProblem } {
  const { annotations, body } = service;
  const refuse = (code: string, message: string, isOthers?: true) => ({
    problem: { code, message, ...(isOthers ? { isOthers } : {}) },
  });
  if (Object.keys(textsAt(body, 'spec', 'selector')).length > 0)
    return refuse('HasSelector', 'it has a selector, so Kubernetes itself keeps its endpoints: leave it out', true);
  if (textAt(body, 'spec', 'type') === 'ExternalName')
    return refuse('NoEndpoints', 'a Service of type ExternalName has no endpoints', true);
  if (textAt(body, 'spec', 'clusterIP') === 'None')
    return refuse(
      'Headless',
      'it has no address of its own, so clients would see the ports of gateways and pods: leave out clusterIP',
    );
  const ports = listAt(body, 'spec', 'ports');
  const [port] = ports;
  if (ports.length !== 1) return refuse('Ports', `it has ${ports.length} ports; pods are reached on one`);
  if ((textAt(port, 'protocol') ?? 'TCP') !== 'TCP')
    return refuse('Ports', `its port is of ${textAt(port, 'protocol')}; gateways speak HTTP over TCP`);
  const known = Object.values(serveAnnotations).map((name) => name.slice(ownPrefix.length));
  for (const name of Object.keys(annotations)) {
    const word = name.startsWith(ownPrefix) ? name.slice(ownPrefix.length) : '';
    const near = known.includes(word) ? undefined : nearest(word, known);
    if (near) return refuse('InvalidAnnotation', `there is no annotation ${name}; did you mean ${ownPrefix}${near}?`);
  }
  const burst = readBurst(annotations);
  const grace = readDuration(annotations, serveAnnotations.endpointGrace, defaultEndpointGraceMs);
  const after = readDuration(annotations, serveAnnotations.serveAfter, defaultServeAfterMs);
  for (const one of [burst, grace, after]) if ('error' in one) return refuse('InvalidAnnotation', one.error);
  return {
    workload: annotations[serveAnnotations.workload] ?? service.name,
    targetBurstCapacity: 'value' in burst ? burst.value : null,
    endpointGraceMs: 'value' in grace ? grace.value : defaultEndpointGraceMs,
    serveAfterMs: 'value' in after ? after.value : defaultServeAfterMs,
    port: { name: textAt(port, 'name') ?? '', appProtocol: textAt(port, 'appProtocol') },
    family: listAt(body, 'spec', 'ipFamilies')[0] === 'IPv6' ? 'IPv6' : 'IPv4',
  };
}

type Read<Value> = { readonly value: Value } | { readonly error: string };
type Annotations = KubernetesObject['annotations'];

function readBurst(annotations: Annotations): Read<number | null> {
  const name =
    annotations[serveAnnotations.targetBurstCapacity] === undefined
      ? knativeBurst
      : serveAnnotations.targetBurstCapacity;
  const written = annotations[name];
  if (written === undefined) return { value: null };
  const value = /^(-1|\d+(\.\d+)?)$/.test(written) ? Number(written) : Number.NaN;
  if (value <= largestBurst) return { value };
  return {
    error: `${name}: "${written}" is not a number of requests; write 0, -1 (always through gateways) or up to ${largestBurst}`,
  };
}

function readDuration(annotations: Annotations, name: string, usual: number): Read<number> {
  const written = annotations[name];
  if (written === undefined) return { value: usual };
  const parsed = parseDuration(written);
  if ('error' in parsed) return { error: `${name}: ${parsed.error}` };
  if (parsed.value > longestGraceMs) return { error: `${name}: ${written} is longer than 5m` };
  return { value: parsed.value };
}
