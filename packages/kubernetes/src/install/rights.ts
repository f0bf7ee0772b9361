import { isObject, type JsonObject, listAt } from '../client/values.ts';
import { splitApiVersion } from '../client/resources.ts';
import type { Manifest } from '../manifests/settings.ts';
import type { InstallServer } from './server.ts';

/** One right, as the API server is asked for it. */
export interface Right {
  readonly verb: string;
  /** Empty: the core group. */
  readonly group: string;
  /** With a subresource: `deployments/scale`. */
  readonly resource: string;
  /** Empty: in all namespaces, or of what is in none. */
  readonly namespace: string;
  /** Of the object of this name alone; left out: of all. */
  readonly name?: string;
}

/** `create roles.rbac.authorization.k8s.io in ebb-system`, or `patch configmaps ebb-advice in ebb-system`. */
export function rightText({ verb, group, resource, namespace, name }: Right): string {
  const [plural = '', subresource] = resource.split('/');
  const path = `${plural}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${verb} ${path}${name === undefined ? '' : ` ${name}`}${namespace === '' ? '' : ` in ${namespace}`}`;
}

/** The same for many, a line for each resource: `get, patch roles.rbac.authorization.k8s.io in ebb-system`. */
export function rightsText(rights: readonly Right[]): string[] {
  const groups = Map.groupBy(rights, ({ group, resource, namespace, name }) =>
    JSON.stringify([group, resource, namespace, name]),
  );
  return [...groups.values()].flatMap(([first, ...others]) =>
    first ? [rightText({ ...first, verb: [first, ...others].map(({ verb }) => verb).join(', ') })] : [],
  );
}

const atOnce = 8;

/** Those of them that the user of the command line has not. */
export function missingRights(server: InstallServer, rights: readonly Right[]): Promise<Right[]> {
  return refused(rights, async (right) => {
    const answer = await server.review('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: attributes(right) },
    });
    return isAllowed(answer);
  });
}

/** Those of them that a service account has not. Who asks needs the right to create SubjectAccessReviews. */
export function missingRightsOf(
  server: InstallServer,
  { namespace, name }: { namespace: string; name: string },
  rights: readonly Right[],
): Promise<Right[]> {
  return refused(rights, async (right) => {
    const answer = await server.review('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        resourceAttributes: attributes(right),
        user: `system:serviceaccount:${namespace}:${name}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      },
    });
    return isAllowed(answer);
  });
}

/**
 * Rights that the writer of roles needs beside those to write them: a role may give nothing that its writer has not, unless
 * he may `escalate`, and may be bound to somebody only by who has its rights or may `bind` it.
 */
export async function missingToGrant(server: InstallServer, manifests: readonly Manifest[]): Promise<Right[]> {
  const roles = manifests.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
  const group = 'rbac.authorization.k8s.io';
  const missing: Right[] = [];
  for (const role of roles) {
    const resource = role.kind === 'Role' ? 'roles' : 'clusterroles';
    const namespace = role.metadata.namespace ?? '';
    const free = ['escalate', 'bind'].map((verb): Right => ({ verb, group, resource, namespace }));
    if ((await missingRights(server, free)).length === 0) continue;
    missing.push(...(await missingRights(server, rightsOfRole(role))));
  }
  return unique(missing);
}

/** What a Role or ClusterRole gives. */
export function rightsOfRole({ rules, metadata }: Manifest): Right[] {
  return (Array.isArray(rules) ? rules : []).flatMap((rule: unknown) =>
    texts(rule, 'apiGroups').flatMap((group) =>
      texts(rule, 'resources').flatMap((resource) =>
        texts(rule, 'verbs').flatMap((verb): Right[] => {
          const right = { verb, group, resource, namespace: metadata.namespace ?? '' };
          const names = texts(rule, 'resourceNames');
          return names.length === 0 ? [right] : names.map((name) => ({ ...right, name }));
        }),
      ),
    ),
  );
}

export function rightOn(
  verb: string,
  { apiVersion, namespace }: { apiVersion: string; namespace: string },
  plural: string,
): Right {
  return { verb, group: splitApiVersion(apiVersion).group, resource: plural, namespace };
}

export function unique(rights: readonly Right[]): Right[] {
  return [...new Map(rights.map((right) => [rightText(right), right])).values()];
}

function attributes({ verb, group, resource: path, namespace, name = '' }: Right): JsonObject {
  const [resource = '', subresource = ''] = path.split('/');
  return { verb, group, resource, subresource, namespace, name };
}

function isAllowed(answer: unknown): boolean {
  return isObject(answer) && isObject(answer.status) && answer.status.allowed === true;
}

async function refused(rights: readonly Right[], isGiven: (right: Right) => Promise<boolean>): Promise<Right[]> {
  const left = unique(rights);
  const order = [...left];
  const missing = new Set<Right>();
  const worker = async () => {
    for (let right = left.shift(); right; right = left.shift()) if (!(await isGiven(right))) missing.add(right);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return order.filter((right) => missing.has(right));
}

function texts(value: unknown, name: string): string[] {
  return listAt(value, name).filter((one) => typeof one === 'string');
}
