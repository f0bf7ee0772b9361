import { type HttpScaledObjectSpec, resolveHttpScaledObject, resolveInterceptorRoute } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { scaledObjectInput } from '../operator/documents.ts';

/** Documents of KEDA's http-add-on, by kind. */
export const httpKinds = ['HTTPScaledObject', 'InterceptorRoute'];

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Lists are of all namespaces that are followed. */
export interface HttpDocuments {
  readonly httpScaledObjects: { list(): KubernetesObject[] };
  readonly interceptorRoutes: { list(): KubernetesObject[] };
}

/** The HTTPScaledObject that scales a target of this name by itself: the oldest one. Null: none, or none that is valid. */
export function httpClaimOf(
  { httpScaledObjects }: HttpDocuments,
  { namespace, name }: Named,
): HttpScaledObjectSpec | null {
  const claims = httpScaledObjects
    .list()
    .filter((object) => object.namespace === namespace && object.deletedAtMs === null)
    .sort((left, right) => left.createdAtMs - right.createdAtMs || (left.name < right.name ? -1 : 1));
  for (const object of claims) {
    const spec = specOf(object);
    if (spec?.createsScaledObject && spec.target.name === name) return spec;
  }
  return null;
}

/** Whether some document routes requests to a workload of this name. */
export function isRouted({ httpScaledObjects, interceptorRoutes }: HttpDocuments, { namespace, name }: Named): boolean {
  const near = (object: KubernetesObject) => object.namespace === namespace;
  return [...httpScaledObjects.list(), ...interceptorRoutes.list()]
    .filter(near)
    .some((object) => targetOf(object) === name);
}

/** Name of the workload that a document of the add-on speaks of; null where it is not valid. */
export function targetOf(object: KubernetesObject): string | null {
  if (object.kind === 'HTTPScaledObject') {
    const target = specOf(object)?.target;
    return target ? (target.name ?? target.service) : null;
  }
  try {
    return resolveInterceptorRoute(scaledObjectInput(object).document).target.service;
  } catch {
    return null;
  }
}

/** Whoever applies it to the engine is told what is wrong with it; here it only says nothing. */
function specOf(object: KubernetesObject): HttpScaledObjectSpec | null {
  try {
    return resolveHttpScaledObject(scaledObjectInput(object).document);
  } catch {
    return null;
  }
}
