import { isKedaOwned, isTakenOver, modeAnnotation, takenOverAnnotation } from '../advice/mode.ts';
import { isStatus, type KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { type Resource, resources } from '../client/resources.ts';
import { listAt, numberAt, objectAt, textAt, timeAt } from '../client/values.ts';

/** What can be handed over. */
export type HandedKind = 'ScaledObject' | 'HorizontalPodAutoscaler' | 'ScaledJob';

export interface HandOverOptions {
  readonly client: KubernetesClient;
  /** Null: whichever there is of that name. */
  readonly kind: HandedKind | null;
  readonly namespace: string;
  readonly name: string;
  /** Of the operator that is to be in charge. */
  readonly lease: { readonly namespace: string; readonly name: string };
  /** What is waited for longer than this is told, and the same command goes on from there; left out: 60 s. */
  readonly waitMs?: number;
  /** Between two looks; left out: 500 ms. */
  readonly lookMs?: number;
}

/** One thing that is written or waited for. */
export interface HandOverStep {
  readonly what: string;
  /** `done`: it was so already, or is by now. `to do`: nothing was written because it was only asked. */
  readonly state: 'done' | 'to do';
}

export interface HandOver {
  readonly kind: HandedKind;
  readonly namespace: string;
  readonly name: string;
  /** Such as `Deployment/web`. */
  readonly target: string;
  readonly steps: readonly HandOverStep[];
}

/** Why it is not done: a sentence for a person, and what helps. Nothing was changed unless `changed` says so. */
export class HandOverRefused extends Error {
  override readonly name = 'HandOverRefused';
  readonly hints: readonly string[];
  readonly changed: boolean;
  constructor(message: string, hints: readonly string[] = [], changed = false) {
    super(message);
    this.hints = hints;
    this.changed = changed;
  }
}

export const resourceOf: Readonly<Record<HandedKind, Resource>> = {
  ScaledObject: resources.scaledObjects,
  HorizontalPodAutoscaler: resources.horizontalPodAutoscalers,
  ScaledJob: resources.scaledJobs,
};
/** How a person says which of several is meant. */
const wordOf: Readonly<Record<HandedKind, string>> = {
  ScaledObject: 'scaledobject',
  HorizontalPodAutoscaler: 'hpa',
  ScaledJob: 'scaledjob',
};
export const defaultWaitMs = 60_000;
export const defaultLookMs = 500;

/** The object that is meant. Throws where there is none, or one of each kind. */
export async function findHanded(
  options: Pick<HandOverOptions, 'client' | 'kind' | 'namespace' | 'name'>,
): Promise<{ kind: HandedKind; object: KubernetesObject }> {
  const { client, namespace, name } = options;
  const any: HandedKind[] = ['ScaledObject', 'HorizontalPodAutoscaler', 'ScaledJob'];
  const kinds = options.kind ? [options.kind] : any;
  const all = await Promise.all(
    kinds.map(async (kind) => {
      const asked = client.get(resourceOf[kind], { namespace, name });
      // Whoever may not see ScaledJobs does not mean one.
      const mayBeRefused = kind === 'ScaledJob' && options.kind === null;
      const object = await asked.catch((error: unknown) => {
        if (mayBeRefused && isStatus(error, 403)) return null;
        throw error;
      });
      return { kind, object };
    }),
  );
  const found = all.flatMap(({ kind, object }) => (object ? [{ kind, object }] : []));
  const [first, second] = found;
  if (!first) {
    const named = kinds.join(', ').replace(/, (?=\w+$)/, ' or ');
    throw new HandOverRefused(`there is no ${named} "${name}" in the namespace ${namespace}`);
  }
  if (second) {
    throw new HandOverRefused(`there is a ${found.map(({ kind }) => kind).join(' and a ')} "${name}"`, [
      `say which: ${found.map(({ kind }) => `${wordOf[kind]}/${name}`).join(' or ')}`,
    ]);
  }
  if (first.kind === 'HorizontalPodAutoscaler' && isKedaOwned(first.object)) {
    const owner = listAt(first.object.body, 'metadata', 'ownerReferences').find(
      (one) => textAt(one, 'kind') === 'ScaledObject',
    );
    const of = textAt(owner, 'name');
    throw new HandOverRefused(`KEDA made the HorizontalPodAutoscaler "${name}" for a ScaledObject`, [
      of === null ? 'name that ScaledObject' : `name that one: scaledobject/${of}`,
    ]);
  }
  return first;
}

/** Such as `Deployment/web`; of a ScaledJob `Job/resize`. */
export function targetText({ kind: of, name, body }: KubernetesObject): string {
  if (of === 'ScaledJob') return `Job/${name}`;
  const kind = textAt(body, 'spec', 'scaleTargetRef', 'kind') ?? 'Deployment';
  return `${kind}/${textAt(body, 'spec', 'scaleTargetRef', 'name') ?? ''}`;
}

/** Whether an operator holds its lease and has renewed it in time. `unknown`: this user may not read it. */
export async function leads(
  client: KubernetesClient,
  lease: HandOverOptions['lease'],
  wallNowMs: number,
): Promise<'yes' | 'no' | 'unknown'> {
  try {
    const object = await client.get(resources.leases, lease);
    const spec = objectAt(object?.body, 'spec');
    const renewedMs = timeAt(spec, 'renewTime');
    const holder = textAt(spec, 'holderIdentity');
    if (holder === null || holder === '' || renewedMs === null) return 'no';
    const durationMs = (numberAt(spec, 'leaseDurationSeconds') ?? 15) * 1000;
    // Clocks of two machines differ a little.
    return wallNowMs - renewedMs <= durationMs + 30_000 ? 'yes' : 'no';
  } catch (error) {
    if (isStatus(error, 403)) return 'unknown';
    throw error;
  }
}

/** Other objects that scale the same target by themselves, by kind and name. */
export async function othersOn(
  client: KubernetesClient,
  { kind, object }: { kind: HandedKind; object: KubernetesObject },
): Promise<string[]> {
  if (kind === 'ScaledJob') return [];
  const { namespace } = object;
  const { objects } = await client.list(resources.horizontalPodAutoscalers, { namespace });
  const target = targetText(object);
  return objects.flatMap((one) => {
    const isSelf = kind === 'HorizontalPodAutoscaler' && one.name === object.name;
    const isOwn = kind === 'ScaledObject' && isKedaOwned(one);
    return isSelf || isOwn || targetText(one) !== target ? [] : [`HorizontalPodAutoscaler ${one.name}`];
  });
}

/** Looks again and again until something is so. False: it was not, in the time given. */
export async function lookUntil(
  { client, waitMs = defaultWaitMs, lookMs = defaultLookMs }: Pick<HandOverOptions, 'client' | 'waitMs' | 'lookMs'>,
  look: () => Promise<boolean>,
): Promise<boolean> {
  const endMs = client.clock.nowMs() + waitMs;
  for (;;) {
    if (await look()) return true;
    if (client.clock.nowMs() >= endMs) return false;
    await client.wait(lookMs);
  }
}

/** The whole object with other annotations (null takes one away) and spec, to be written over its version. */
export function rewritten(
  { body }: KubernetesObject,
  annotations: Readonly<Record<string, string | null>>,
  spec?: Record<string, unknown>,
): Record<string, unknown> {
  const metadata = objectAt(body, 'metadata');
  const merged: Record<string, unknown> = { ...objectAt(metadata, 'annotations'), ...annotations };
  const kept = Object.entries(merged).filter(([, value]) => value !== null);
  const { annotations: _before, ...rest } = metadata;
  return {
    ...body,
    metadata: { ...rest, ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }) },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** `control`: Ebb is in charge by its annotations. `half`: it was taken over and is on its way back. */
export function stateOf(object: KubernetesObject): 'other' | 'half' | 'control' {
  if (!isTakenOver(object)) return 'other';
  return object.annotations[modeAnnotation] === 'control' ? 'control' : 'half';
}

export function keptText(kept: Record<string, unknown>): Record<string, string> {
  return { [takenOverAnnotation]: JSON.stringify(kept) };
}
