import { imageUser } from './settings.ts';

/** Nothing of the node is shared with a pod, and no Service gets into its environment. */
export const sharesNothing = { enableServiceLinks: false, hostNetwork: false, hostPID: false, hostIPC: false };

/** What all containers of a pod may be: a user that is not root. */
export function runsAs(user: number) {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** The image's own user, whose the volumes are. */
export const podSecurity = { ...runsAs(imageUser), fsGroup: imageUser };

/** What a container may do: nothing beyond its own volumes. */
export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  privileged: false,
  capabilities: { drop: ['ALL'] },
};

/** The only place beside its volumes that a container can write to. */
export const temporary = {
  volume: { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
  mount: { name: 'tmp', mountPath: '/tmp' },
};

/** A minute to start; ended after half a minute without life; `ready` says how soon it counts as not ready. */
export function probes(ready: { periodSeconds: number; failureThreshold: number }) {
  const ask = (path: string, more: object) => ({ httpGet: { path, port: 'health' }, timeoutSeconds: 2, ...more });
  return {
    startupProbe: ask('/livez', { periodSeconds: 1, failureThreshold: 60 }),
    livenessProbe: ask('/livez', { periodSeconds: 10, failureThreshold: 3 }),
    readinessProbe: ask('/healthz', ready),
  };
}

/** A variable that tells a container something of its own pod. */
export function fromField(name: string, fieldPath: string) {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}
