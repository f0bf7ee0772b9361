import { z } from 'zod';
import { rule } from '../fields/rule.ts';
import type { OlderVersion } from '../kind.ts';

export const kedaApiVersion = 'keda.sh/v1alpha1';

/** KEDA has never had a v1; people who expect one get told. */
export const refusedKedaVersions = {
  'keda.sh/v1': `there is no keda.sh/v1; write ${kedaApiVersion}, which is the version that KEDA 2 serves`,
  'keda.sh/v1beta1': `there is no keda.sh/v1beta1; write ${kedaApiVersion}, which is the version that KEDA 2 serves`,
};

const firstVersion = 'keda.k8s.io/v1alpha1';

const readAsPresent: OlderVersion = {
  message: `${firstVersion} is KEDA 1; it is read as ${kedaApiVersion}`,
  convert: ({ apiVersion: _version, ...rest }) => ({ apiVersion: kedaApiVersion, ...rest }),
};

/** KEDA 1, whose documents had another group. */
export const olderKedaVersions: Record<string, OlderVersion> = { [firstVersion]: readAsPresent };

/** KEDA 1's ScaledObject ran Jobs too, which KEDA 2 has a kind of its own for. */
const firstScaledObject = z.looseObject({ spec: z.unknown() }).check(
  rule(['spec'], ({ spec }, report) => {
    if (!isRecord(spec) || spec.scaleType !== 'job') return;
    const message =
      `scaleType job is KEDA 1's way to run Jobs; write apiVersion: ${kedaApiVersion} and kind: ScaledJob, and leave ` +
      'scaleType out';
    report(['spec', 'scaleType'], message, { code: 'unsupported-version', suggestion: 'kind: ScaledJob' });
  }),
);

/** A ScaledObject of KEDA 1, which named a Deployment and its container directly. */
export const olderScaledObjects: Record<string, OlderVersion> = {
  [firstVersion]: {
    message: readAsPresent.message,
    schema: firstScaledObject,
    convert: (written) => {
      const { spec, ...rest } = readAsPresent.convert(written);
      return { ...rest, spec: isRecord(spec) ? convertSpec(spec) : spec };
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
