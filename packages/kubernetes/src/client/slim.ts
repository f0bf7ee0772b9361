import type { KubernetesObject } from './objects.ts';
import { isObject, type JsonObject, textAt } from './values.ts';

/** What nobody here reads of the objects there are thousands of; by far the most of what they weigh. */
const container = new Set([
  ...['command', 'args', 'workingDir', 'imagePullPolicy', 'volumeMounts', 'volumeDevices', 'securityContext'],
  ...['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'terminationMessagePath'],
  'terminationMessagePolicy',
]);
/** Of a pod: its variables and images are those of its target's template. */
const containerOfPod = new Set([...container, 'image', 'env', 'envFrom']);
const templateSpec = new Set([
  ...['volumes', 'securityContext', 'dnsPolicy', 'dnsConfig', 'enableServiceLinks', 'hostAliases', 'serviceAccount'],
  ...['terminationGracePeriodSeconds', 'preemptionPolicy'],
]);
/** Of a pod: where and with what it is pulled and placed is settled. */
const podSpec = new Set([...templateSpec, 'schedulerName', 'serviceAccountName', 'imagePullSecrets']);
const podStatus = new Set(['hostIP', 'hostIPs', 'podIPs', 'qosClass', 'ephemeralContainerStatuses']);
const containerStatus = new Set(['image', 'imageID', 'containerID', 'lastState', 'resources', 'volumeMounts', 'user']);
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** A pod without what its node alone needs to run it. */
export function slimPod(object: KubernetesObject): KubernetesObject {
  const { spec, status } = object.body;
  return withBody(object, {
    spec: slimPodSpec(spec, podSpec, containerOfPod),
    status: each(without(status, podStatus), ['containerStatuses', 'initContainerStatuses'], (one) => slimStatus(one)),
  });
}

/** How a container ended last is kept where it ran out of memory. */
function slimStatus(status: unknown): unknown {
  const slim = without(status, containerStatus);
  if (!isObject(status) || !isObject(slim) || textAt(status, 'lastState', 'terminated', 'reason') !== 'OOMKilled') {
    return slim;
  }
  return { ...slim, lastState: status.lastState };
}

/** A Deployment or StatefulSet without what of its template only its pods need. */
export function slimTarget(object: KubernetesObject): KubernetesObject {
  const { spec } = object.body;
  if (!isObject(spec) || !isObject(spec.template)) return withBody(object, {});
  const template = { ...spec.template, spec: slimPodSpec(spec.template.spec, templateSpec, container) };
  return withBody(object, { spec: { ...spec, template } });
}

function slimPodSpec(spec: unknown, dropped: ReadonlySet<string>, ofContainers: ReadonlySet<string>): unknown {
  return each(without(spec, dropped), ['containers', 'initContainers'], (one) => without(one, ofContainers));
}

/** Labels and annotations are kept once. */
function withBody(object: KubernetesObject, parts: JsonObject): KubernetesObject {
  const { [lastApplied]: _copy, ...annotations } = object.annotations;
  const { labels } = object;
  const metadata = isObject(object.body.metadata) ? { ...object.body.metadata, labels, annotations } : {};
  return { ...object, annotations, body: { ...object.body, ...parts, metadata } };
}

function without(value: unknown, names: ReadonlySet<string>): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)));
}

function each(value: unknown, names: readonly string[], change: (one: unknown) => unknown): unknown {
  if (!isObject(value)) return value;
  const lists = names.flatMap((name) => {
    const list = value[name];
    return Array.isArray(list) ? [[name, list.map(change)]] : [];
  });
  return { ...value, ...Object.fromEntries(lists) };
}
