import { isStatus } from '../client/client.ts';
import { type JsonObject, listAt, textAt } from '../client/values.ts';
import type { InstallChoice } from '../manifests/install.ts';
import { installLabels, installName, type Manifest } from '../manifests/settings.ts';
import { differences } from './difference.ts';
import { type Inventory, inventoryRef, managedBy, readInventory } from './inventory.ts';
import { inOrder, isSameObject, type ObjectRef, refOf, refText } from './names.ts';
import { chargeOf, isPartOfEbb } from './owners.ts';
import { InstallRefusal } from './refusal.ts';
import { missingRights, missingToGrant, type Right, rightOn, rightsText, unique } from './rights.ts';
import type { InstallServer } from './server.ts';
import { compareVersions } from './versions.ts';

export type ActionName = 'create' | 'change' | 'unchanged' | 'remove' | 'keep';

/** What becomes of one object. */
export interface ObjectAction {
  readonly action: ActionName;
  readonly ref: ObjectRef;
  /** Fields that change; why it is kept. */
  readonly notes: readonly string[];
}

export interface PlanOptions {
  readonly server: InstallServer;
  /** The set, as `installManifests` gives it. */
  readonly manifests: readonly Manifest[];
  readonly namespace: string;
  readonly version: string;
  /** Takes fields and objects from others, and goes back to an older version. */
  readonly force: boolean;
}

export interface InstallPlan {
  /** Version that is there; null: none. */
  readonly from: string | null;
  readonly to: string;
  readonly actions: readonly ObjectAction[];
  /** What is applied, in order. */
  readonly applied: readonly Manifest[];
  readonly removed: readonly ObjectRef[];
  readonly before: Inventory | null;
}

/** Objects that hold what people have written: they go by `uninstall` alone, and when that is asked for. */
const lastingKinds = new Set(['CustomResourceDefinition', 'PersistentVolumeClaim', 'Namespace']);

/**
 * What an installation would change, by the API server's own dry run. Throws `InstallRefusal` where a right is missing,
 * somebody else is in charge of an object, or the version that is there is newer.
 */
export async function planInstall(options: PlanOptions): Promise<InstallPlan> {
  const { server, namespace, version, force } = options;
  const labelled = inOrder(options.manifests.map(withLabel), ({ kind }) => kind);
  const there = await readAll(server, labelled);
  // A namespace that somebody else has made stays as he has made it.
  const manifests = labelled.filter((one) => {
    const found = there.get(one);
    return !(one.kind === 'Namespace' && found && !isPartOfEbb(found));
  });
  await refuseMissingRights(server, manifests, there, namespace);
  const { inventory: before, version: from } = await readInstalled(server, namespace);
  if (from !== null && compareVersions(from, version) > 0 && !force) {
    throw new InstallRefusal('version', `version ${from} is installed, which is newer than ${version}`, [
      `take the ebb of ${from}, or go back with --force: what the newer one has written may not be read`,
    ]);
  }
  if (!force) refuseOthers(manifests, there, namespace);
  refuseLostVersions(manifests, there);
  const actions: ObjectAction[] = [];
  const conflicts: string[] = [];
  for (const manifest of manifests) {
    const ref = refOf(manifest);
    const found = there.get(manifest) ?? null;
    const answer = await server.apply(manifest, { dryRun: true, force });
    if (answer.kind === 'conflict') {
      const managers = Map.groupBy(answer.conflicts, (one) => one.manager);
      for (const [manager, fields] of managers) {
        conflicts.push(`${refText(ref)}: ${manager} owns ${fields.map(({ field }) => field).join(', ')}`);
      }
    } else if (!found || answer.kind === 'no-namespace') actions.push({ action: 'create', ref, notes: [] });
    else {
      const notes = differences(found, answer.body);
      actions.push({ action: notes.length > 0 ? 'change' : 'unchanged', ref, notes });
    }
  }
  if (conflicts.length > 0) {
    throw new InstallRefusal('owner', 'another manager owns fields that would change', [
      ...conflicts,
      '--force takes them over; better, leave them to that manager or have it give them up',
    ]);
  }
  const removed = await outdated(server, before, manifests);
  await refuseMissing(server, await Promise.all(removed.map((ref) => rightTo('delete', server, ref))));
  actions.push(...removed.map((ref): ObjectAction => ({ action: 'remove', ref, notes: [] })));
  return { from, to: version, actions, applied: manifests, removed, before };
}

function withLabel(manifest: Manifest): Manifest {
  const { metadata } = manifest;
  return { ...manifest, metadata: { ...metadata, labels: { ...installLabels, ...metadata.labels, ...managedBy } } };
}

async function readAll(
  server: InstallServer,
  manifests: readonly Manifest[],
): Promise<Map<Manifest, JsonObject | null>> {
  const read = manifests.map(
    async (manifest): Promise<[Manifest, JsonObject | null]> => [
      manifest,
      await unlessForbidden(server.get(refOf(manifest))),
    ],
  );
  return new Map(await Promise.all(read));
}

async function refuseMissingRights(
  server: InstallServer,
  manifests: readonly Manifest[],
  there: ReadonlyMap<Manifest, JsonObject | null>,
  namespace: string,
): Promise<void> {
  const wanted: Right[] = [];
  for (const manifest of [...manifests, null]) {
    const ref = manifest === null ? inventoryRef(namespace) : refOf(manifest);
    const plural = (await server.resourceOf(ref))?.plural;
    if (plural === undefined)
      throw new InstallRefusal('kinds', `the cluster knows no kind ${ref.kind} of ${ref.apiVersion}`);
    const isThere = manifest !== null && there.get(manifest);
    for (const verb of ['get', 'patch', ...(isThere ? [] : ['create'])]) wanted.push(rightOn(verb, ref, plural));
  }
  const missing = [...(await missingRights(server, wanted)), ...(await missingToGrant(server, manifests))];
  refuseIf(unique(missing));
}

async function refuseMissing(server: InstallServer, wanted: readonly Right[]): Promise<void> {
  refuseIf(await missingRights(server, wanted));
}

/** Throws where there are any. */
export function refuseIf(missing: readonly Right[]): void {
  if (missing.length === 0) return;
  throw new InstallRefusal('rights', `you lack ${missing.length} rights that this takes; nothing was changed`, [
    ...rightsText(missing),
    'somebody who may give them, or who has them, has to do this',
  ]);
}

/** The right to do something with one object. */
export async function rightTo(verb: string, server: InstallServer, ref: ObjectRef): Promise<Right> {
  return rightOn(verb, ref, (await server.resourceOf(ref))?.plural ?? ref.kind.toLowerCase());
}

/** Objects in others' charge, and an Ebb of another namespace whose rights would move to this one. */
function refuseOthers(
  manifests: readonly Manifest[],
  there: ReadonlyMap<Manifest, JsonObject | null>,
  namespace: string,
): void {
  const others: string[] = [];
  for (const manifest of manifests) {
    const found = there.get(manifest);
    if (!found) continue;
    const ref = refOf(manifest);
    const charge = chargeOf(found);
    if (charge !== null) others.push(`${refText(ref)} is in the charge of ${charge}`);
    if (ref.kind !== 'ClusterRoleBinding' || ref.name !== installName) continue;
    const subjects = listAt(found, 'subjects').flatMap((one) => textAt(one, 'namespace') ?? []);
    const elsewhere = subjects.find((one) => one !== namespace);
    if (elsewhere !== undefined) others.push(`${refText(ref)} is of the Ebb in the namespace ${elsewhere}`);
  }
  if (others.length === 0) return;
  throw new InstallRefusal('owner', 'what would be written is in the charge of others', [
    ...others,
    'have it upgraded where it was installed; --force takes it over',
  ]);
}

/** A definition may not lose a version in which objects are stored: they could not be read any more. */
function refuseLostVersions(manifests: readonly Manifest[], there: ReadonlyMap<Manifest, JsonObject | null>): void {
  for (const manifest of manifests) {
    if (manifest.kind !== 'CustomResourceDefinition') continue;
    const names = listAt(manifest.spec, 'versions').map((one) => textAt(one, 'name'));
    const stored = listAt(there.get(manifest), 'status', 'storedVersions').filter((one) => typeof one === 'string');
    const lost = stored.filter((one) => !names.includes(one));
    if (lost.length === 0) continue;
    throw new InstallRefusal(
      'kinds',
      `${manifest.metadata.name}: objects are stored as ${lost.join(', ')}, which this version has not`,
      [
        'upgrade to a version that has both first, write every object anew, and remove the old one from status.storedVersions',
      ],
    );
  }
}

/** What an earlier set had and this one has not, as long as it is ours still. */
async function outdated(
  server: InstallServer,
  before: Inventory | null,
  manifests: readonly Manifest[],
): Promise<ObjectRef[]> {
  const refs = manifests.map(refOf);
  const left = (before?.objects ?? []).filter(
    (ref) => !lastingKinds.has(ref.kind) && !refs.some((one) => isSameObject(one, ref)),
  );
  const found = await Promise.all(left.map(async (ref) => ({ ref, body: await server.get(ref) })));
  return found.filter(({ body }) => body !== null && isPartOfEbb(body)).map(({ ref }) => ref);
}

/** What is installed in a namespace. The version is null where there is none, or it does not say. */
export async function readInstalled(
  server: InstallServer,
  namespace: string,
): Promise<{ inventory: Inventory | null; version: string | null }> {
  const inventory = await unlessForbidden(readInventory(server, namespace));
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: installName };
  const deployment = await unlessForbidden(server.get(ref));
  return { inventory, version: inventory?.version ?? versionOf(deployment) };
}

/** Null where it may not be read. */
export async function unlessForbidden<Value>(asked: Promise<Value | null>): Promise<Value | null> {
  try {
    return await asked;
  } catch (error) {
    if (isStatus(error, 403)) return null;
    throw error;
  }
}

function versionOf(deployment: unknown): string | null {
  return textAt(deployment, 'metadata', 'labels', 'app.kubernetes.io/version');
}

/** The settings of an earlier installation; its image goes along with the version, where its tag is that. */
export function settingsForUpgrade(before: Inventory, to: string): Inventory['settings'] {
  const { settings } = before;
  const image: InstallChoice = settings.image?.endsWith(`:${before.version}`)
    ? { image: `${settings.image.slice(0, -before.version.length)}${to}` }
    : {};
  return { ...settings, ...image };
}
