import { isObject, objectAt, readJson, textAt } from '../client/values.ts';
import type { InstallChoice } from '../manifests/install.ts';
import { defaultSettings, installLabels, installName, type Manifest } from '../manifests/settings.ts';
import { isSameObject, type ObjectRef, readRef } from './names.ts';
import { installManager, type InstallServer } from './server.ts';

/** What an installation consists of, as it is kept in the cluster beside the operator. */
export interface Inventory {
  readonly version: string;
  readonly objects: readonly ObjectRef[];
  /** As far as they were written down. */
  readonly settings: InstallChoice;
}

/** The label of everything that the command line has applied. */
export const managedBy = { 'app.kubernetes.io/managed-by': installManager };

export function inventoryRef(namespace: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `${installName}-inventory` };
}

export function inventoryManifest(namespace: string, { version, objects, settings }: Inventory): Manifest {
  const { apiVersion, kind, name } = inventoryRef(namespace);
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels: { ...installLabels, ...managedBy, 'app.kubernetes.io/version': version } },
    data: {
      version,
      objects: objects.map((ref) => `${JSON.stringify(ref)}\n`).join(''),
      settings: JSON.stringify(settings),
    },
  };
}

/** Null: nothing was installed by the command line there. */
export async function readInventory(server: InstallServer, namespace: string): Promise<Inventory | null> {
  const body = await server.get(inventoryRef(namespace));
  const version = textAt(body, 'data', 'version');
  if (body === null || version === null) return null;
  const lines = (textAt(body, 'data', 'objects') ?? '').split('\n').filter(Boolean);
  const settings = readJson(textAt(body, 'data', 'settings') ?? '');
  return {
    version,
    objects: lines.flatMap((line) => readRef(readJson(line)) ?? []),
    settings: readSettings(settings),
  };
}

const flags = ['networkPolicy', 'gateway', 'withoutKinds'];

/** What of them has the form of a setting. */
function readSettings(value: unknown): InstallChoice {
  const usual: Readonly<Record<string, unknown>> = { ...defaultSettings };
  const isKnown = (name: string, it: unknown): boolean => {
    if (flags.includes(name)) return typeof it === 'boolean';
    const like = Object.hasOwn(usual, name) ? usual[name] : undefined;
    if (Array.isArray(like)) return Array.isArray(it) && it.every((one) => typeof one === 'string');
    if (isObject(like)) return isObject(it) && Object.values(it).every((one) => typeof one === 'string');
    return typeof like === 'string' && typeof it === 'string';
  };
  return Object.fromEntries(Object.entries(objectAt(value)).filter(([name, it]) => isKnown(name, it)));
}

/** Both, each once. */
export function together(left: readonly ObjectRef[], right: readonly ObjectRef[]): ObjectRef[] {
  return [...left, ...right.filter((one) => !left.some((other) => isSameObject(one, other)))];
}
