import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { yamlValues } from '@ebb/documents';
import { available, type KubernetesCluster, startKubernetes, until } from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installManifests } from './install.ts';
import { clusterPermissions, credentialPermissions, ownPermissions, type Permission } from './permissions.ts';
import type { Manifest } from './settings.ts';

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** What is asked of a SubjectAccessReview. An empty namespace: all of them, or an object that is in none. */
interface Asked {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  /** Of the object of this name; left out: of all. */
  readonly name?: string;
}

interface Deployment extends Manifest {
  readonly spec: { readonly template: { readonly spec: object } };
}

const namespace = `ebb-install-${process.pid}`;
const other = `ebb-other-${process.pid}`;
const shared = `ebb-shared-${process.pid}`;
const manifests = installManifests({ namespace, readNamespaces: [shared], networkPolicy: true });
const isNamespace = ({ kind }: Manifest) => kind === 'Namespace';

function asked(permission: Permission, at: string): Asked[] {
  return permission.resources.flatMap((written) => {
    const [resource = '', subresource = ''] = written.split('/');
    return permission.verbs.flatMap((verb): Asked[] => {
      const one = { verb, group: permission.group, resource, subresource, namespace: at };
      return permission.names ? permission.names.map((name) => ({ ...one, name })) : [one];
    });
  });
}

const may: Asked[] = [
  ...clusterPermissions.flatMap((permission) => [...asked(permission, ''), ...asked(permission, other)]),
  ...ownPermissions.flatMap((permission) => asked(permission, namespace)),
  ...credentialPermissions.flatMap((permission) => [...asked(permission, namespace), ...asked(permission, shared)]),
];

const question = (verb: string, path: string, at = other): Asked => {
  const [resource = '', subresource = ''] = path.split('/');
  const dot = resource.indexOf('.');
  return dot < 0
    ? { verb, group: '', resource, subresource, namespace: at }
    : { verb, group: resource.slice(dot + 1), resource: resource.slice(0, dot), subresource, namespace: at };
};
const mayNot: Asked[] = [
  question('get', 'secrets'),
  question('list', 'secrets', ''),
  question('list', 'secrets', namespace),
  question('watch', 'secrets', namespace),
  question('list', 'secrets', shared),
  question('update', 'secrets', namespace),
  question('patch', 'secrets', namespace),
  question('delete', 'secrets', namespace),
  question('create', 'secrets'),
  question('get', 'configmaps'),
  question('patch', 'configmaps', namespace),
  { ...question('patch', 'configmaps', namespace), name: 'ebb-inventory' },
  question('create', 'pods'),
  question('update', 'pods'),
  question('create', 'pods/exec'),
  question('get', 'pods/exec'),
  question('create', 'pods/attach'),
  question('create', 'pods/portforward'),
  question('get', 'pods/log'),
  question('create', 'pods/eviction'),
  question('patch', 'pods/ephemeralcontainers'),
  question('deletecollection', 'pods'),
  question('delete', 'nodes', ''),
  question('patch', 'nodes', ''),
  question('get', 'nodes/proxy', ''),
  question('list', 'services', ''),
  question('patch', 'services'),
  question('patch', 'services/status'),
  question('get', 'endpointslices.discovery.k8s.io'),
  question('create', 'endpointslices.discovery.k8s.io'),
  question('patch', 'endpointslices.discovery.k8s.io'),
  question('create', 'deployments.apps'),
  question('update', 'deployments.apps'),
  question('patch', 'deployments.apps'),
  question('delete', 'deployments.apps'),
  question('patch', 'statefulsets.apps'),
  question('patch', 'daemonsets.apps'),
  question('update', 'jobs.batch'),
  question('patch', 'jobs.batch'),
  question('deletecollection', 'jobs.batch'),
  question('patch', 'jobs.batch/status'),
  question('create', 'cronjobs.batch'),
  question('list', 'nodes', ''),
  question('create', 'events'),
  question('list', 'events.events.k8s.io'),
  question('delete', 'events.events.k8s.io'),
  question('update', 'events.events.k8s.io'),
  question('patch', 'deployments.apps/scale'),
  question('update', 'scaledobjects.keda.sh/status'),
  question('update', 'scaledjobs.keda.sh'),
  question('delete', 'scaledjobs.keda.sh'),
  question('update', 'scaledjobs.keda.sh/status'),
  question('update', 'scaledjobs.keda.sh/finalizers'),
  question('list', 'rollouts.argoproj.io', ''),
  question('update', 'rollouts.argoproj.io/scale'),
  question('list', 'clusters.ebb.dev', ''),
  question('list', 'nodepools.ebb.dev', ''),
  question('create', 'workloads.ebb.dev'),
  question('update', 'workloads.ebb.dev'),
  question('patch', 'workloads.ebb.dev'),
  question('delete', 'workloads.ebb.dev'),
  question('update', 'workloads.ebb.dev/scale'),
  question('update', 'scaledobjects.keda.sh'),
  question('delete', 'scaledobjects.keda.sh'),
  question('patch', 'horizontalpodautoscalers.autoscaling'),
  question('delete', 'horizontalpodautoscalers.autoscaling'),
  question('get', 'leases.coordination.k8s.io'),
  question('delete', 'leases.coordination.k8s.io', namespace),
  question('create', 'serviceaccounts/token', namespace),
  question('create', 'clusterrolebindings.rbac.authorization.k8s.io', ''),
  question('escalate', 'clusterroles.rbac.authorization.k8s.io', ''),
  question('bind', 'clusterroles.rbac.authorization.k8s.io', ''),
  question('impersonate', 'users', ''),
  question('create', 'namespaces', ''),
  question('delete', 'namespaces', ''),
  question('update', 'customresourcedefinitions.apiextensions.k8s.io', ''),
  question('create', 'validatingwebhookconfigurations.admissionregistration.k8s.io', ''),
];

describe.runIf(available('kubernetes'))('an installation in a Kubernetes API', () => {
  let cluster: KubernetesCluster;
  const pathOf = async ({ apiVersion, kind, metadata }: Manifest) => {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const { resources } = await cluster.api.get<ResourceList>(base);
    const found = resources.find((one) => one.kind === kind && !one.name.includes('/'));
    if (!found) throw new Error(`the API has no ${kind}`);
    const within = found.namespaced ? `/namespaces/${metadata.namespace}` : '';
    return `${base}${within}/${found.name}/${metadata.name}`;
  };

  beforeAll(async () => {
    cluster = await startKubernetes();
    for (const name of [other, shared]) await cluster.api.post('/api/v1/namespaces', { metadata: { name } });
    for (const manifest of manifests.filter(isNamespace)) await cluster.api.apply(await pathOf(manifest), manifest);
  });
  afterAll(async () => {
    if (cluster && !cluster.parts) {
      const kept = ({ kind }: Manifest) => kind === 'CustomResourceDefinition';
      for (const manifest of manifests.filter((one) => !kept(one)).toReversed()) {
        await cluster.api.send('DELETE', await pathOf(manifest));
      }
      for (const name of [other, shared]) await cluster.api.send('DELETE', `/api/v1/namespaces/${name}`);
    }
    await cluster?.close();
  });

  it('takes every manifest in a dry run, and changes nothing by it', async () => {
    for (const manifest of manifests.filter((one) => !isNamespace(one))) {
      const path = await pathOf(manifest);
      const before = await cluster.api.send('GET', path);
      await cluster.api.apply(path, manifest, { dryRun: true, force: true });
      expect(await cluster.api.send('GET', path), path).toEqual(before);
    }
  });

  it('takes the files of the project', async () => {
    for (const file of ['ebb.yaml', 'network-policy.yaml']) {
      const text = readFileSync(fileURLToPath(new URL(`../../../../manifests/${file}`, import.meta.url)), 'utf8');
      for (const manifest of yamlValues(text) as Manifest[]) {
        // Their namespace is not there, and a dry run does not make it: they are tried in ours.
        const moved = isNamespace(manifest) ? manifest : movedTo(namespace, manifest);
        await cluster.api.apply(await pathOf(moved), moved, { dryRun: true, force: true });
      }
    }
  });

  it('keeps the strictest standard of pods', async () => {
    const [deployment] = manifests.filter((one): one is Deployment => one.kind === 'Deployment');
    if (!deployment) throw new Error('nothing is deployed');
    const { template } = deployment.spec;
    const pods = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
    const pod = (spec: object) => ({
      metadata: { name: 'operator' },
      // The service account comes with the rest; whose pod it is does not matter here.
      spec: { ...template.spec, serviceAccountName: 'default', automountServiceAccountToken: false, ...spec },
    });
    await until(async () => (await cluster.api.send('GET', serviceAccount(namespace, 'default'))).status === 200, {
      withinMs: 60_000,
      what: () => 'the service account of the namespace',
    });
    expect(await cluster.api.send('POST', pods, pod({}))).toMatchObject({ status: 201 });
    const refused = await cluster.api.send('POST', pods, pod({ hostNetwork: true }));
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('restricted');
  });

  describe('when it is there', () => {
    beforeAll(async () => {
      for (const manifest of manifests) await cluster.api.apply(await pathOf(manifest), manifest, { force: true });
    });

    const isAllowed = async (resourceAttributes: Asked) => {
      const { status } = await cluster.api.post<{ readonly status: { readonly allowed: boolean } }>(
        '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: {
            resourceAttributes,
            user: `system:serviceaccount:${namespace}:ebb`,
            groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
          },
        },
      );
      return status.allowed;
    };
    const wrongly = async (questions: readonly Asked[], expected: boolean) => {
      const wrong: Asked[] = [];
      for (const each of questions) if ((await isAllowed(each)) !== expected) wrong.push(each);
      return wrong;
    };

    it('may do what it needs', async () => {
      expect(may.length).toBeGreaterThan(50);
      // The roles and their bindings have to reach the authorizer first, each kind by itself.
      const first = [may.at(0), may.findLast(({ namespace: at }) => at === namespace), may.at(-1)];
      for (const one of first.flatMap((each) => each ?? [])) {
        await until(() => isAllowed(one), { withinMs: 60_000, what: () => `the permission ${JSON.stringify(one)}` });
      }
      expect(await wrongly(may, true)).toEqual([]);
    });

    it('may do nothing else', async () => {
      expect(await wrongly(mayNot, false)).toEqual([]);
    });

    it('is refused by the API itself, with its own token', async () => {
      const { status } = await cluster.api.post<{ readonly status: { readonly token: string } }>(
        `${serviceAccount(namespace, 'ebb')}/token`,
        { spec: { expirationSeconds: 600 } },
      );
      const operator = cluster.apiFor({ name: 'operator', token: status.token });
      try {
        expect((await operator.send('GET', '/api/v1/pods')).status).toBe(200);
        expect((await operator.send('GET', `/api/v1/namespaces/${other}/secrets`)).status).toBe(403);
        expect((await operator.send('DELETE', '/api/v1/nodes/none')).status).toBe(403);
      } finally {
        operator.close();
      }
    });
  });
});

function serviceAccount(at: string, name: string): string {
  return `/api/v1/namespaces/${at}/serviceaccounts/${name}`;
}

function movedTo(at: string, manifest: Manifest): Manifest {
  return manifest.metadata.namespace === undefined
    ? manifest
    : { ...manifest, metadata: { ...manifest.metadata, namespace: at } };
}
