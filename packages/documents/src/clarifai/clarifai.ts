import type { PathPattern } from '../kind.ts';
import { convertCluster } from './cluster.ts';
import type { Converted } from './converted.ts';
import { convertDeployment } from './deployment.ts';
import { convertNodepool } from './nodepool.ts';
import type { clarifaiSchema } from './schemas.ts';
import type { z } from 'zod';

const topKeys = ['compute_cluster', 'nodepool', 'deployment'] as const;

/** No message has what is written there. */
export const clarifaiSecrets: readonly PathPattern[] = [['compute_cluster', 'key']];

/** Whether a document is one of Clarifai's: it has none of Kubernetes' head, and one of the three as a key. */
export function isClarifai(value: Record<string, unknown>): boolean {
  return value.kind === undefined && value.apiVersion === undefined && topKeys.some((key) => Object.hasOwn(value, key));
}

/** The documents of Ebb that a file of Clarifai describes, with what of it is not honoured. */
export function convertClarifai(file: z.output<typeof clarifaiSchema>): Converted[] {
  const { compute_cluster: cluster, nodepool, deployment } = file;
  return [
    ...(cluster ? [convertCluster(cluster)] : []),
    ...(nodepool ? [convertNodepool(nodepool)] : []),
    ...(deployment ? [convertDeployment(deployment)] : []),
  ];
}
