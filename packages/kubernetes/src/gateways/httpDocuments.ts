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
  const [oldest] = httpScaledObjects
    .list()
    .filter((object) => object.namespace === namespace && object.deletedAtMs === null)
    .filter((object) => {
      const { spec } = read(object);
      return spec?.createsScaledObject && spec.target.name === name;
    })
    .sort((left, right) => left.createdAtMs - right.createdAtMs || (left.name < right.name ? -1 : 1));
  return oldest ? read(oldest).spec : null;
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
  return read(object).target;
}

interface Read {
  /** Of an HTTPScaledObject. */
  readonly spec: HttpScaledObjectSpec | null;
  readonly target: string | null;
}

/** Each version of an object is checked once, however many workloads ask what it says of them. */
const known = new WeakMap<KubernetesObject, Read>();

function read(object: KubernetesObject): Read {
  let found = known.get(object);
  if (!found) {
    found = readAnew(object);
    known.set(object, found);
  }
  return found;
}

/** Whoever applies it to the engine is told what is wrong with it; here it only says nothing. */
function readAnew(object: KubernetesObject): Read {
  try {
    const { document } = scaledObjectInput(object);
    if (object.kind !== 'HTTPScaledObject') {
      return { spec: null, target: resolveInterceptorRoute(document).target.service };
    }
    const spec = resolveHttpScaledObject(document);
    return { spec, target: spec.target.name ?? spec.target.service };
  } catch {
    return { spec: null, target: null };
  }
}
