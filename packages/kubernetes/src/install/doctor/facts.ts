import { isStatus } from '../../client/client.ts';
import { type JsonObject, listAt, textAt } from '../../client/values.ts';
import { serveSelector } from '../../gateways/serveService.ts';
import { type InstallChoice, installManifests } from '../../manifests/install.ts';
import { installName } from '../../manifests/settings.ts';
import { type Inventory, readInventory } from '../inventory.ts';
import { missingRightsOf, type Right, rightsOfRole } from '../rights.ts';
import type { InstallServer } from '../server.ts';
import { operatorSelector } from '../waitReady.ts';

/** Something that was read, or why it was not. */
export type Fact<Value> = { readonly value: Value } | { readonly forbidden: string };

/** Everything that a diagnosis rests on, read once. */
export interface ClusterFacts {
  readonly server: string;
  readonly namespace: string;
  /** Version of who diagnoses. */
  readonly version: string;
  readonly nowMs: number;
  /** Such as `v1.36.3`. */
  readonly serverVersion: string;
  /** Names of API groups that are served. */
  readonly groups: readonly string[];
  readonly apiServices: Fact<readonly JsonObject[]>;
  readonly definitions: Fact<readonly JsonObject[]>;
  /** Deployments of the operator's namespace, and elsewhere those that autoscale by themselves. */
  readonly deployments: Fact<readonly JsonObject[]>;
  readonly inventory: Fact<Inventory | null>;
  readonly pods: Fact<readonly JsonObject[]>;
  readonly claim: Fact<JsonObject | null>;
  readonly lease: Fact<JsonObject | null>;
  /** Rights that the operator's service account should have and has not, of so many. */
  readonly rights: Fact<{ readonly missing: readonly Right[]; readonly asked: number }>;
  readonly autoscalers: Fact<readonly JsonObject[]>;
  readonly scaledObjects: Fact<readonly JsonObject[]>;
  readonly workloads: Fact<readonly JsonObject[]>;
  readonly nodes: Fact<readonly JsonObject[]>;
  readonly nodePools: Fact<readonly JsonObject[]>;
  /** Ebb's own Clusters. */
  readonly clusters: Fact<readonly JsonObject[]>;
  /** Services whose endpoints are to be kept. */
  readonly services: Fact<readonly JsonObject[]>;
}

/** Reads what a diagnosis needs. Nothing is written; what may not be read is left for the diagnosis to say. */
export async function readFacts(
  server: InstallServer,
  { url, namespace, version, nowMs }: { url: string; namespace: string; version: string; nowMs: number },
): Promise<ClusterFacts> {
  const groupNames = listAt(await server.getPath('/apis'), 'groups').flatMap((one) => textAt(one, 'name') ?? []);
  const list = (apiVersion: string, kind: string, options: Parameters<InstallServer['list']>[1] = {}) =>
    fact(async () => (await server.list({ apiVersion, kind }, options)) ?? []);
  const one = (apiVersion: string, kind: string, name: string) =>
    fact(() => server.get({ apiVersion, kind, namespace, name }));
  const inventory = await fact(() => readInventory(server, namespace));
  const [apiServices, definitions, deployments, pods, claim, lease] = await Promise.all([
    list('apiregistration.k8s.io/v1', 'APIService'),
    list('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
    list('apps/v1', 'Deployment'),
    list('v1', 'Pod', { namespace, labelSelector: operatorSelector }),
    one('v1', 'PersistentVolumeClaim', installName),
    one('coordination.k8s.io/v1', 'Lease', installName),
  ]);
  const [autoscalers, scaledObjects, workloads, nodes, nodePools, clusters, services, rights] = await Promise.all([
    list('autoscaling/v2', 'HorizontalPodAutoscaler'),
    list('keda.sh/v1alpha1', 'ScaledObject'),
    list('ebb.dev/v1alpha1', 'Workload'),
    list('v1', 'Node'),
    list('karpenter.sh/v1', 'NodePool'),
    list('ebb.dev/v1alpha1', 'Cluster'),
    list('v1', 'Service', { labelSelector: serveSelector }),
    fact(() => {
      const settings = 'value' in inventory ? inventory.value?.settings : undefined;
      return readRights(server, namespace, settings ?? settingsOf(known(deployments), namespace));
    }),
  ]);
  return {
    ...{ server: url, namespace, version, nowMs, groups: groupNames, apiServices, definitions, deployments, inventory },
    ...{ pods, claim, lease, rights, autoscalers, scaledObjects, workloads, nodes, nodePools, clusters, services },
    serverVersion: textAt(await server.getPath('/version'), 'gitVersion') ?? '',
  };
}

/** What of its settings the operator's Deployment tells, where something else than the command line has installed it. */
function settingsOf(deployments: readonly JsonObject[], namespace: string): InstallChoice {
  const own = operatorOf(deployments, namespace);
  const names = {
    advice: 'EBB_ADVICE',
    watchNamespace: 'EBB_WATCH_NAMESPACE',
    externalMetrics: 'EBB_EXTERNAL_METRICS',
    serveServices: 'EBB_SERVE_SERVICES',
    nodePools: 'EBB_NODE_POOLS',
    sizing: 'EBB_SIZING',
    warmth: 'EBB_WARMTH',
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([setting, name]) => {
      const value = operatorVariable(own, name);
      return value === null ? [] : [[setting, value]];
    }),
  );
}

/** The operator's own Deployment. */
export function operatorOf(deployments: readonly JsonObject[], namespace: string): JsonObject | undefined {
  return deployments.find((one) => objectText(one) === `${namespace}/${installName}`);
}

/** Whether an operator's Deployment has it advise. */
export function isAdviser(deployment: unknown): boolean {
  return operatorVariable(deployment, 'EBB_ADVICE') === 'true';
}

/** Value of an environment variable of the operator's container; null: it has none. */
export function operatorVariable(deployment: unknown, name: string): string | null {
  const containers = listAt(deployment, 'spec', 'template', 'spec', 'containers');
  const operator = containers.find((one) => textAt(one, 'name') === 'operator');
  return textAt(
    listAt(operator, 'env').find((one) => textAt(one, 'name') === name),
    'value',
  );
}

async function readRights(server: InstallServer, namespace: string, settings: InstallChoice) {
  const manifests = installManifests({ ...settings, namespace, withoutKinds: true });
  const roles = manifests.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
  const wanted = roles.flatMap(rightsOfRole);
  const missing = await missingRightsOf(server, { namespace, name: installName }, wanted);
  return { missing, asked: wanted.length };
}

async function fact<Value>(read: () => Promise<Value>): Promise<Fact<Value>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (isStatus(error, 403)) return { forbidden: error.message };
    throw error;
  }
}

/** Those of the labels. */
export function hasLabels(body: unknown, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => textAt(body, 'metadata', 'labels', name) === value);
}

export function objectText(body: unknown): string {
  const namespace = textAt(body, 'metadata', 'namespace');
  return `${namespace === null ? '' : `${namespace}/`}${textAt(body, 'metadata', 'name') ?? ''}`;
}

/** The value, or nothing where it was not to be read. */
export function known<Value>(read: Fact<readonly Value[]>): readonly Value[] {
  return 'value' in read ? read.value : [];
}
