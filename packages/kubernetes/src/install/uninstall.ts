import { ownKindNames, kindOf } from '@ebb/documents';
import { isStatus } from '../client/client.ts';
import { listAt, textAt } from '../client/values.ts';
import { installManifests } from '../manifests/install.ts';
import { linkSecretName } from '../gateways/linkSecret.ts';
import { installName } from '../manifests/settings.ts';
import type { Waiting } from './execute.ts';
import { inventoryRef, readInventory } from './inventory.ts';
import { type ObjectRef, refOf, refText } from './names.ts';
import { chargeOf, isPartOfEbb } from './owners.ts';
import { type ObjectAction, refuseIf, rightTo, unlessForbidden } from './plan.ts';
import { InstallRefusal } from './refusal.ts';
import { missingRights } from './rights.ts';
import type { InstallServer } from './server.ts';
import { operatorSelector } from './waitReady.ts';

export interface UninstallOptions {
  readonly server: InstallServer;
  readonly namespace: string;
  /** Takes the definitions away, and with them every document of Ebb in the cluster. */
  readonly crds: boolean;
  /** Takes the volume away: journal, ledger and memories. */
  readonly data: boolean;
  /** Whether documents may be lost, and objects in others' charge taken away. */
  readonly isAgreed: boolean;
  readonly force: boolean;
}

export interface UninstallPlan {
  /** Version that is there; null: it does not say. */
  readonly from: string | null;
  readonly actions: readonly ObjectAction[];
  readonly removed: readonly ObjectRef[];
  /** Documents that go with their definitions, by kind. */
  readonly lost: Readonly<Record<string, number>>;
}

/**
 * What goes when Ebb goes: the operator and its rights. What it has scaled stays as it is. Throws `InstallRefusal` where there is
 * no Ebb, a right is missing, another one is in charge of it, or documents would be lost and nobody has agreed to that.
 */
export async function planUninstall(options: UninstallOptions): Promise<UninstallPlan> {
  const { server, namespace, crds, data } = options;
  const inventory = await readInventory(server, namespace);
  const usual = installManifests({ namespace, networkPolicy: true }).map(refOf);
  const found = await Promise.all(
    // Without a note of what belongs to it, it was applied by hand: the usual objects then, as far as they are there.
    (inventory?.objects ?? usual).map(async (ref) => ({ ref, body: await server.get(ref) })),
  );
  const isElsewhere = found.some(({ body }) => boundElsewhere(body, namespace));
  const own = found.filter(({ ref, body }) => body !== null && isPartOfEbb(body) && ref.namespace !== '');
  if (own.length === 0) {
    throw new InstallRefusal('absent', `no Ebb is installed in the namespace ${namespace}`, [
      'say where with --namespace; ebb kubernetes doctor tells what there is',
    ]);
  }
  const present = found.filter(
    ({ ref, body }) =>
      body !== null && isPartOfEbb(body) && !(isElsewhere && ref.kind.startsWith('ClusterRole') && inventory === null),
  );
  if (!options.force) {
    const others = present.flatMap(({ ref, body }) => {
      const charge = chargeOf(body);
      return charge === null ? [] : [`${refText(ref)} is in the charge of ${charge}`];
    });
    if (others.length > 0) {
      throw new InstallRefusal('owner', 'this Ebb was installed by others', [
        ...others,
        'have it taken away by them (helm uninstall, or its Application or Kustomization); --force does it here',
      ]);
    }
  }
  const removed: ObjectRef[] = [];
  const actions: ObjectAction[] = [];
  const keep = (ref: ObjectRef, why: string) => actions.push({ action: 'keep', ref, notes: [why] });
  // The operator first, then its rights: it gives its lease back while it still may.
  for (const { ref } of present.toSorted((left, right) => rank(left.ref) - rank(right.ref))) {
    if (ref.kind === 'Namespace') keep(ref, `others' objects may be in it: kubectl delete namespace ${ref.name}`);
    else if (ref.kind === 'PersistentVolumeClaim' && !data) keep(ref, 'journal, ledger and memories: --data');
    else if (ref.kind === 'CustomResourceDefinition' && !crds) keep(ref, 'definitions, and the documents: --crds');
    else removed.push(ref);
  }
  removed.push(...(await leftByOperator(server, namespace, data)));
  if (inventory) removed.push(inventoryRef(namespace));
  const lost = crds ? await documentsOf(server) : {};
  const count = Object.values(lost).reduce((sum, one) => sum + one, 0);
  if (count > 0 && !options.isAgreed) {
    throw new InstallRefusal('documents', `${lostText(lost)} would be lost with the definitions; nothing was changed`, [
      'keep them: kubectl get ebb --all-namespaces -o yaml; --yes takes them away',
    ]);
  }
  refuseIf(await missingRights(server, await Promise.all(removed.map((ref) => rightTo('delete', server, ref)))));
  const from = inventory?.version ?? null;
  return {
    from,
    removed,
    lost,
    actions: [...removed.map((ref): ObjectAction => ({ action: 'remove', ref, notes: [] })), ...actions],
  };
}

/** Rights of an Ebb in another namespace. */
function boundElsewhere(body: unknown, namespace: string): boolean {
  if (textAt(body, 'kind') !== 'ClusterRoleBinding') return false;
  const namespaces = listAt(body, 'subjects').map((one) => textAt(one, 'namespace'));
  return !namespaces.includes(namespace);
}

/** `3 Workloads, 1 Cluster`. */
export function lostText(lost: UninstallPlan['lost']): string {
  return Object.entries(lost)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}${count === 1 ? '' : 's'}`)
    .join(', ');
}

/** Takes it away in order; the operator's pods are waited for, so that it can give its lease back. */
export async function executeUninstall(
  { server, namespace }: Pick<UninstallOptions, 'server' | 'namespace'>,
  { removed }: UninstallPlan,
  { waiting, withinMs }: { waiting: Waiting; withinMs: number },
): Promise<void> {
  for (const ref of removed) {
    await server.delete(ref, { dryRun: false });
    if (ref.kind === 'Deployment') await podsGone(server, namespace, waiting, withinMs);
  }
}

function rank({ kind }: ObjectRef): number {
  if (kind === 'Deployment') return 0;
  if (kind === 'CustomResourceDefinition') return 3;
  return kind === 'PersistentVolumeClaim' || kind === 'Namespace' ? 2 : 1;
}

/** What the operator itself has written in its namespace. */
async function leftByOperator(server: InstallServer, namespace: string, data: boolean): Promise<ObjectRef[]> {
  const refs: ObjectRef[] = [
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: installName },
    { apiVersion: 'v1', kind: 'Secret', namespace, name: linkSecretName },
    ...(data ? [{ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `${installName}-advice` }] : []),
  ];
  const found = refs.map(async (ref) => {
    // What may not be read may not be there: it is not asked for then.
    const body = await unlessForbidden(server.get(ref));
    return body ? [ref] : [];
  });
  return (await Promise.all(found)).flat();
}

async function documentsOf(server: InstallServer): Promise<Record<string, number>> {
  const counts = ownKindNames.map(async (kind): Promise<[string, number]> => {
    const { apiVersion } = kindOf(kind);
    try {
      return [kind, (await server.list({ apiVersion, kind }))?.length ?? 0];
    } catch (error) {
      if (!isStatus(error, 403)) throw error;
      throw new InstallRefusal(
        'rights',
        `you may not list ${kindOf(kind).plural}, so that nobody can say what would be lost`,
      );
    }
  });
  return Object.fromEntries(await Promise.all(counts));
}

async function podsGone(server: InstallServer, namespace: string, waiting: Waiting, withinMs: number): Promise<void> {
  const untilMs = waiting.nowMs() + withinMs;
  const labelSelector = operatorSelector;
  while (waiting.nowMs() < untilMs) {
    const pods = await server.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector });
    if (!pods || pods.length === 0) return;
    await waiting.pause(250);
  }
}
