import { priorityClassName, priorityOfHeadroom } from '../warmth/priorityClass.ts';
import { follow, type Permission } from './permissions.ts';
import { accessWhere } from './rbac.ts';
import { installLabels, installName, type InstallSettings, isAdviceOnly, type Manifest } from './settings.ts';

/**
 * Where the endpoints of Services are kept (`serveServices`): in every namespace, or in the one that is followed. Whoever may write
 * EndpointSlices may send a Service's requests anywhere, so it is granted only where it is asked for.
 */
export const serveServicesPermissions: readonly Permission[] = [
  {
    group: '',
    resources: ['services'],
    verbs: follow,
    reason: 'to see the Services with the label `ebb.dev/gateway: serve`; no other one is asked for',
  },
  {
    group: '',
    resources: ['services/status'],
    verbs: ['patch'],
    reason: 'to say in a condition of theirs which path requests take, and why',
  },
  {
    group: 'discovery.k8s.io',
    resources: ['endpointslices'],
    verbs: follow,
    reason: "to see what Ebb's own say, and go on from there; those of others are not asked for",
  },
  {
    group: 'discovery.k8s.io',
    resources: ['endpointslices'],
    verbs: ['get', 'create', 'patch', 'delete'],
    reason:
      'to write the gateways or the pods into them (by server-side apply, which needs both), to overwrite none of others, and to remove them with the label',
  },
];

/** Everywhere, or in the one namespace that is followed, where pods are sized (`sizing`). */
export const sizingPermissions: readonly Permission[] = [
  {
    group: '',
    resources: ['pods/resize'],
    verbs: ['patch'],
    reason: 'to change the requests and limits of a pod that runs, and nothing else of it',
  },
  {
    group: 'apps',
    resources: ['deployments', 'statefulsets'],
    verbs: ['patch'],
    reason: 'to change the requests and limits of a template while there are no replicas, for pods that are made later',
  },
  {
    group: 'autoscaling.k8s.io',
    resources: ['verticalpodautoscalers'],
    verbs: follow,
    reason: 'to see who else sizes the pods of a target, and leave them alone',
  },
];

/** Everywhere, or in the one namespace that is followed, where images and room are kept (`warmth`). */
export const warmthPermissions: readonly Permission[] = [
  {
    group: 'apps',
    resources: ['daemonsets'],
    verbs: follow,
    reason: 'to see what was made to pull images, and on how many nodes they are',
  },
  {
    group: 'apps',
    resources: ['daemonsets', 'deployments'],
    verbs: ['create', 'update', 'delete'],
    reason: 'to make, change and remove its own: those that pull images, and those of pause pods',
  },
];

/** Of pods that keep room or images: they go before any other, and never make another go. */
const headroomPriorityClass: Manifest = {
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name: priorityClassName, labels: installLabels },
  value: priorityOfHeadroom,
  preemptionPolicy: 'Never',
  globalDefault: false,
  description: 'Pods of Ebb that keep room or images for others.',
};

interface PartNeeds {
  /** After `ebb-`, what its roles are called. */
  readonly role: string;
  readonly permissions: readonly Permission[];
  /** What of the whole cluster comes with it. */
  readonly beside: readonly Manifest[];
}

/** What each part needs that is switched on by the setting of its name. */
export const optionalParts = {
  serveServices: { role: 'serve-services', permissions: serveServicesPermissions, beside: [] },
  sizing: { role: 'sizing', permissions: sizingPermissions, beside: [] },
  warmth: { role: 'warmth', permissions: warmthPermissions, beside: [headroomPriorityClass] },
} as const satisfies Readonly<Record<string, PartNeeds>>;

export type OptionalPart = keyof typeof optionalParts;

export const optionalPartNames = Object.keys(optionalParts) as readonly OptionalPart[];

/** Rights of an optional part: everywhere, or in each of the namespaces that are followed. */
export function partAccess(part: OptionalPart, operatorNamespace: string, watchNamespace: string): Manifest[] {
  const { role, permissions } = optionalParts[part];
  return accessWhere({ name: `${installName}-${role}`, permissions, operatorNamespace, watchNamespace });
}

/** What the parts need that are switched on. Where Ebb only advises, nothing is written by any of them. */
export function partManifests(settings: InstallSettings): Manifest[] {
  const { namespace, watchNamespace } = settings;
  if (isAdviceOnly(settings)) return [];
  return optionalPartNames
    .filter((part) => settings[part] === 'true')
    .flatMap((part) => [...optionalParts[part].beside, ...partAccess(part, namespace, watchNamespace)]);
}
