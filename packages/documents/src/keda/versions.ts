import type { OlderVersion } from '../kind.ts';

export const kedaApiVersion = 'keda.sh/v1alpha1';

/** KEDA has never had a v1; people who expect one get told. */
export const refusedKedaVersions = {
  'keda.sh/v1': `there is no keda.sh/v1; write ${kedaApiVersion}, which is the version that KEDA 2 serves`,
  'keda.sh/v1beta1': `there is no keda.sh/v1beta1; write ${kedaApiVersion}, which is the version that KEDA 2 serves`,
};

/** KEDA 1, whose documents had another group and named a Deployment and its container directly. */
export const olderKedaVersions: Record<string, OlderVersion> = {
  'keda.k8s.io/v1alpha1': {
    message: `keda.k8s.io/v1alpha1 is KEDA 1; it is read as ${kedaApiVersion}`,
    convert: (written) => {
      const { apiVersion: _version, spec, ...rest } = written;
      return { apiVersion: kedaApiVersion, ...rest, spec: isRecord(spec) ? convertSpec(spec) : spec };
    },
  },
};

function convertSpec({ scaleType, ...spec }: Record<string, unknown>): Record<string, unknown> {
  const kept = scaleType === undefined || scaleType === 'deployment' ? spec : { scaleType, ...spec };
  const { scaleTargetRef } = kept;
  if (!isRecord(scaleTargetRef)) return kept;
  const { deploymentName, containerName, ...reference } = scaleTargetRef;
  return {
    ...kept,
    scaleTargetRef: {
      ...(deploymentName === undefined ? {} : { name: deploymentName }),
      ...(containerName === undefined ? {} : { envSourceContainerName: containerName }),
      ...reference,
    },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
