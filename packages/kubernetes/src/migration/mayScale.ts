import { isStatus, type KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { resources, splitApiVersion } from '../client/resources.ts';
import { type JsonObject, objectAt, textAt } from '../client/values.ts';
import type { HandOverOptions } from './handOver.ts';

const makesJobs = { verb: 'create', group: 'batch', resource: 'jobs' };
const reviews = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

/**
 * Whether the operator that leads may write the scale of what an object scales, or make the Jobs of a ScaledJob, by the rights of its
 * pod's service account: one that was installed to advise may not. `unknown`: it is no pod of the lease's namespace, or this user may not ask.
 */
export async function mayScale(
  client: KubernetesClient,
  lease: HandOverOptions['lease'],
  { kind, namespace, body }: KubernetesObject,
): Promise<'yes' | 'no' | 'unknown'> {
  try {
    const held = await client.get(resources.leases, lease);
    // In a pod its host name is the pod's.
    const name = textAt(held?.body, 'spec', 'holderIdentity')?.split('_')[0] ?? '';
    const pod = name === '' ? null : await client.get(resources.pods, { namespace: lease.namespace, name });
    const account = textAt(pod?.body, 'spec', 'serviceAccountName');
    if (account === null) return 'unknown';
    const right = kind === 'ScaledJob' ? makesJobs : await scales(client, objectAt(body, 'spec', 'scaleTargetRef'));
    if (!right) return 'unknown';
    const answer = await client.review(reviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        resourceAttributes: { ...right, namespace },
        user: `system:serviceaccount:${lease.namespace}:${account}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${lease.namespace}`, 'system:authenticated'],
      },
    });
    return objectAt(answer, 'status').allowed === true ? 'yes' : 'no';
  } catch (error) {
    if (isStatus(error, 403) || isStatus(error, 404)) return 'unknown';
    throw error;
  }
}

/** The right to write the scale of a target; null: the server has no such kind. */
async function scales(client: KubernetesClient, reference: JsonObject) {
  const apiVersion = textAt(reference, 'apiVersion') ?? 'apps/v1';
  const target = await client.discover(apiVersion, textAt(reference, 'kind') ?? 'Deployment');
  const { group } = splitApiVersion(apiVersion);
  return target && { verb: 'update', group, resource: target.plural, subresource: 'scale' };
}
