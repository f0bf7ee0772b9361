import { priorityClassName, priorityOfHeadroom } from '../warmth/priorityClass.ts';
import type { Permission } from './permissions.ts';
import { accessWhere } from './rbac.ts';
import { installLabels, installName, type InstallSettings, isAdviceOnly, type Manifest } from './settings.ts';

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
    verbs: ['list', 'watch'],
    reason: 'to see who else sizes the pods of a target, and leave them alone',
  },
];

/** Everywhere, or in the one namespace that is followed, where images and room are kept (`warmth`). */
export const warmthPermissions: readonly Permission[] = [
  {
    group: 'apps',
    resources: ['daemonsets'],
    verbs: ['list', 'watch'],
    reason: 'to see what was made to pull images, and on how many nodes they are',
  },
  {
    group: 'apps',
    resources: ['daemonsets', 'deployments'],
    verbs: ['create', 'update', 'delete'],
    reason: 'to make, change and remove its own: those that pull images, and those of pause pods',
  },
];

type Part = 'sizing' | 'warmth';

const permissionsOf: Readonly<Record<Part, readonly Permission[]>> = {
  sizing: sizingPermissions,
  warmth: warmthPermissions,
};

/** Rights of an optional part: everywhere, or in the one namespace that is followed. */
export function partAccess(part: Part, operatorNamespace: string, watchNamespace: string): Manifest[] {
  const name = `${installName}-${part}`;
  return accessWhere({ name, permissions: permissionsOf[part], operatorNamespace, watchNamespace });
}

/** Of pods that keep room or images: they go before any other, and never make another go. */
export const headroomPriorityClass: Manifest = {
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name: priorityClassName, labels: installLabels },
  value: priorityOfHeadroom,
  preemptionPolicy: 'Never',
  globalDefault: false,
  description: 'Pods of Ebb that keep room or images for others.',
};

/** What sizing and warmth need besides, where they are switched on. Where Ebb only advises, nothing is written by either. */
export function partManifests(settings: InstallSettings): Manifest[] {
  const { namespace, watchNamespace } = settings;
  if (isAdviceOnly(settings)) return [];
  return [
    ...(settings.sizing === 'true' ? partAccess('sizing', namespace, watchNamespace) : []),
    ...(settings.warmth === 'true' ? [headroomPriorityClass, ...partAccess('warmth', namespace, watchNamespace)] : []),
  ];
}
