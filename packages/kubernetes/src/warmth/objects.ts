import { revisionOf } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { type JsonObject, listAt, objectAt, textAt } from '../client/values.ts';
import { containerSecurity, runsAs } from '../manifests/podParts.ts';
import { podAmounts } from '../nodes/podRequests.ts';
import { priorityClassName } from './priorityClass.ts';

export type WarmthKind = 'prepull' | 'headroom';

/** On everything that is made for warmth: which of both it is. */
export const warmthLabel = 'ebb.dev/warmth';
/** The UID of the target that it is made for. */
export const warmsLabel = 'ebb.dev/warms';
/** The target as `Kind/name`. */
const warmsAnnotation = 'ebb.dev/warms';
/** What it was made from, in short: it is written anew when that changes. */
export const warmthRevision = 'ebb.dev/warmth-revision';

/** Images that run beside those of targets. */
export interface WarmthImages {
  /** Does nothing until it is told to end. */
  readonly pause: string;
  /** Has a statically linked /bin/busybox. */
  readonly tool: string;
}

export function warmthName(kind: WarmthKind, target: string): string {
  return `ebb-${kind}-${target}`;
}

const toolVolume = { name: 'tool', emptyDir: { sizeLimit: '16Mi' } };
const nobody = 65_534;
const tiny = { requests: { cpu: '1m', memory: '8Mi' }, limits: { memory: '32Mi' } };

/**
 * A DaemonSet that has the images of a target on each node where its pods may run: an init container for each image runs a program that
 * is in every pod's own volume, whatever the image holds, and ends at once. Then nothing runs but a pause container.
 */
export function prepullDaemonSet(target: KubernetesObject, images: WarmthImages): JsonObject {
  const spec = objectAt(target.body, 'spec', 'template', 'spec');
  const pulled = [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')].flatMap(
    (one) => textAt(one, 'image') ?? [],
  );
  const mount = { name: toolVolume.name, mountPath: '/ebb' };
  const run = (name: string, image: string, command: string[], readOnly: boolean) => ({
    ...{ name, image, command, imagePullPolicy: 'IfNotPresent', resources: tiny, securityContext: containerSecurity },
    volumeMounts: [{ ...mount, readOnly }],
  });
  const nodeAffinity = objectAt(spec, 'affinity', 'nodeAffinity');
  return warmthObject('prepull', 'DaemonSet', target, {
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%' } },
    revisionHistoryLimit: 0,
    template: {
      spec: {
        ...podOf(spec, images.pause, tiny),
        ...(Object.keys(nodeAffinity).length > 0 ? { affinity: { nodeAffinity } } : {}),
        // Those of a service account are its pods' alone; its token is not mounted.
        ...picked(spec, ['serviceAccountName', 'imagePullSecrets']),
        initContainers: [
          run('tool', images.tool, ['/bin/busybox', 'cp', '/bin/busybox', '/ebb/busybox'], false),
          ...[...new Set(pulled)].map((image, index) => run(`image-${index}`, image, ['/ebb/busybox', 'true'], true)),
        ],
        volumes: [toolVolume],
      },
    },
  });
}

/**
 * Pods that do nothing and set aside what a pod of the target does: one that comes takes the place of such a pod at once, and a node
 * autoscaler makes up for the pause pod that waits then. Null where pods of the target set nothing aside.
 */
export function headroomDeployment(target: KubernetesObject, count: number, images: WarmthImages): JsonObject | null {
  const spec = objectAt(target.body, 'spec', 'template', 'spec');
  const amounts = [...podAmounts(spec)].filter(([, amount]) => amount > 0);
  if (amounts.length === 0) return null;
  const written = amounts.map(([name, amount]) => [name, name === 'cpu' ? `${Math.round(amount)}m` : String(amount)]);
  // Of devices and huge pages nothing can be requested that is no limit.
  const limited = written.filter(([name = '']) => name.includes('/') || name.startsWith('hugepages-'));
  const resources = { requests: Object.fromEntries(written), limits: Object.fromEntries(limited) };
  return warmthObject('headroom', 'Deployment', target, {
    replicas: count,
    revisionHistoryLimit: 0,
    strategy: { type: 'Recreate' },
    template: {
      spec: { ...podOf(spec, images.pause, resources), ...picked(spec, ['affinity', 'schedulerName']) },
    },
  });
}

function podOf(spec: JsonObject, pauseImage: string, resources: object): JsonObject {
  const container = { name: 'pause', image: pauseImage, imagePullPolicy: 'IfNotPresent', resources };
  return {
    ...picked(spec, ['nodeSelector', 'tolerations']),
    priorityClassName,
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: runsAs(nobody),
    containers: [{ ...container, securityContext: containerSecurity }],
  };
}

function picked(spec: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (spec[name] === undefined ? [] : [[name, spec[name]]])));
}

function warmthObject(
  kind: WarmthKind,
  objectKind: string,
  target: KubernetesObject,
  spec: JsonObject & { readonly template: JsonObject },
): JsonObject {
  const { namespace, name, uid, apiVersion } = target;
  const own = { [warmthLabel]: kind, [warmsLabel]: uid };
  const labels = { 'app.kubernetes.io/part-of': 'ebb', ...own };
  const whole = { ...spec, selector: { matchLabels: own }, template: { metadata: { labels }, ...spec.template } };
  const owner = { apiVersion, kind: target.kind, name, uid, controller: false, blockOwnerDeletion: false };
  return {
    apiVersion: 'apps/v1',
    kind: objectKind,
    metadata: {
      ...{ name: warmthName(kind, name), namespace, labels },
      annotations: { [warmsAnnotation]: `${target.kind}/${name}`, [warmthRevision]: revisionOf(whole) },
      ownerReferences: [owner],
    },
    spec: whole,
  };
}
