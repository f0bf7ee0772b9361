import { isSilenced, keptHpa, modeAnnotation, pausedAnnotation, takenOverAnnotation } from '../advice/mode.ts';
import { writtenHpa } from '../advice/hpaDocument.ts';
import { adviceConfigMap, adviceKey } from '../advice/adviceBook.ts';
import { readComparison } from '../advice/comparison.ts';
import { isStatus } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { numberAt, objectAt, readJson, textAt } from '../client/values.ts';
import {
  findHanded,
  type HandedKind,
  type HandOver,
  type HandOverOptions,
  HandOverRefused,
  type HandOverStep,
  keptText,
  leads,
  lookUntil,
  othersOn,
  resourceOf,
  rewritten,
  stateOf,
  targetText,
} from './handOver.ts';
import { mayScale } from './mayScale.ts';

const pausedReplicasAnnotation = 'autoscaling.keda.sh/paused-replicas';
/** An HPA keeps to its bounds even where it may not scale, so they are opened while Ebb keeps to them. */
const openMax = 2_147_483_647;
const silenced = { scaleUp: { selectPolicy: 'Disabled' }, scaleDown: { selectPolicy: 'Disabled' } };

interface Found {
  readonly kind: HandedKind;
  readonly object: KubernetesObject;
}

/**
 * Puts Ebb in charge of what a ScaledObject or an HPA scales, or of the Jobs of a ScaledJob. With `write` false it only says what would be done. Each write is
 * one, over the version that was read: stopped anywhere, the same command goes on, and `giveBack` goes back. Throws
 * `HandOverRefused`, and what the API server refuses.
 */
export async function takeOver(options: HandOverOptions, { write }: { write: boolean }): Promise<HandOver> {
  const found = await findHanded(options);
  const { client, lease } = options;
  const state = stateOf(found.object);
  if (state !== 'control') {
    const others = await othersOn(client, found);
    if (others.length > 0) {
      const message = `${targetText(found.object)} is scaled by the ${others.join(' and the ')} too`;
      throw new HandOverRefused(message, ['two controllers on one target fight: take one of them away first']);
    }
    if ((await leads(client, lease, Date.now())) === 'no') {
      throw new HandOverRefused(
        `no operator holds the lease ${lease.namespace}/${lease.name}: nobody would scale the target`,
        ['start the operator first, or name its lease with --lease NAMESPACE/NAME'],
      );
    }
    if ((await mayScale(client, lease, found.object)) === 'no') {
      const what = found.kind === 'ScaledJob' ? 'make Jobs' : `write the scale of ${targetText(found.object)}`;
      throw new HandOverRefused(`the operator of the lease ${lease.namespace}/${lease.name} may not ${what}`, [
        'it was installed to advise: ebb kubernetes upgrade --take-over, or takeOver: true of the chart, gives it the right',
        'a kind of another group needs --scale-kind, or scaleKinds of the chart',
      ]);
    }
  }
  return found.kind === 'HorizontalPodAutoscaler' ? takeHpa(options, found, write) : takeKedas(options, found, write);
}

/** Gives it back to KEDA or to its HPA, which is as it was. With `write` false it only says what would be done. */
export async function giveBack(options: HandOverOptions, { write }: { write: boolean }): Promise<HandOver> {
  const found = await findHanded(options);
  const { kind, object } = found;
  const state = stateOf(object);
  const handed = handedOf(found);
  if (state === 'other') {
    return { ...handed, steps: [{ what: 'it was not taken over, or has been given back', state: 'done' }] };
  }
  // What cannot be restored is refused before anything is written.
  if (kind === 'HorizontalPodAutoscaler') restoredHpa(object);
  const mode = modeBefore(object);
  const steps: HandOverStep[] = [];
  const done = (what: string) => steps.push({ what, state: write ? 'done' : 'to do' });
  const before = await advisedSince(options, object);
  if (state === 'control') {
    if (write) await replace(options, found, rewritten(object, { [modeAnnotation]: 'advice' }));
    done(`Ebb lets go: ${modeAnnotation} is "advice"`);
  }
  if ((await leads(options.client, options.lease, Date.now())) === 'yes') {
    if (write) await heard(options, object, state === 'control' ? before : null);
    done('the operator has heard of it');
  }
  if (kind !== 'HorizontalPodAutoscaler') {
    const change = async (annotations: Record<string, string | null>) => {
      if (!write) return;
      const now = await findHanded({ ...options, kind });
      await replace(options, now, rewritten(now.object, annotations));
    };
    await change({ [pausedAnnotation]: null });
    done(`KEDA goes on: ${pausedAnnotation} is taken away`);
    // Ebb would begin again at once where nobody else scales: its mode is what it was when KEDA has its HPA.
    if (mode !== 'advice' && kind === 'ScaledObject') {
      if (write) await hasHpa(options, object);
      done(`KEDA has its HPA ${kedaHpaName(object)}`);
    }
    await change({ [modeAnnotation]: mode, [takenOverAnnotation]: null });
    done(mode === null ? `${modeAnnotation} is taken away` : `${modeAnnotation} is "${mode}", as it was`);
    return { ...handed, steps };
  }
  if (write) {
    const now = await findHanded({ ...options, kind });
    const kept = restoredHpa(now.object);
    await replace(options, now, rewritten(now.object, kept.annotations, kept.spec));
  }
  done('the HPA goes on: its bounds and behavior are as they were');
  return { ...handed, steps };
}

/** A ScaledObject or a ScaledJob: KEDA is paused for it, and Ebb is named. */
async function takeKedas(options: HandOverOptions, found: Found, write: boolean): Promise<HandOver> {
  const { client } = options;
  const { kind, object } = found;
  const { namespace, name, annotations } = object;
  const handed = handedOf(found);
  const state = stateOf(object);
  if (state === 'other') {
    const paused = [pausedAnnotation, pausedReplicasAnnotation].find((one) => annotations[one] !== undefined);
    if (paused !== undefined) {
      throw new HandOverRefused(`the ${kind} "${name}" is paused by ${paused}`, ['resume it first']);
    }
  }
  const steps: HandOverStep[] = [];
  if (state === 'control') steps.push({ what: 'Ebb is named by its annotations', state: 'done' });
  else {
    const marks = {
      [modeAnnotation]: 'control',
      [pausedAnnotation]: 'true',
      ...(state === 'half' ? {} : keptText({ annotations: { [modeAnnotation]: annotations[modeAnnotation] ?? null } })),
    };
    if (write) await replace(options, found, rewritten(object, marks));
    const what = `KEDA is paused for it (${pausedAnnotation}), and ${modeAnnotation} is "control": one write`;
    steps.push({ what, state: write ? 'done' : 'to do' });
  }
  // Jobs that run stay; both count those of the other.
  if (kind === 'ScaledJob') return { ...handed, steps };
  const hpa = kedaHpaName(object);
  const isThere = async () => (await client.get(resources.horizontalPodAutoscalers, { namespace, name: hpa })) !== null;
  if (!(await isThere())) steps.push({ what: `KEDA has no HPA ${hpa} for it`, state: 'done' });
  else {
    const what = `KEDA takes its HPA ${hpa} away; Ebb is in charge from that moment`;
    if (write && !(await lookUntil(options, async () => !(await isThere())))) {
      throw new HandOverRefused(
        `KEDA has not taken its HPA ${hpa} away yet: Ebb waits for that, and nobody is scaled twice`,
        [
          'run the same command again to go on waiting, or ebb give-back to go back',
          `where KEDA is not there any more: kubectl delete hpa ${hpa} -n ${namespace}`,
        ],
        true,
      );
    }
    steps.push({ what, state: write ? 'done' : 'to do' });
  }
  return { ...handed, steps };
}

async function takeHpa(options: HandOverOptions, found: Found, write: boolean): Promise<HandOver> {
  const { object } = found;
  const { name, annotations } = object;
  const handed = handedOf(found);
  const state = stateOf(object);
  const kept = keptHpa(object);
  if (state !== 'other' && !kept) {
    throw new HandOverRefused(`${takenOverAnnotation} of the HPA "${name}" cannot be read`, [
      'it is the copy of what the HPA was: restore both by hand, from where its file is kept',
    ]);
  }
  const spec = objectAt(object.body, 'spec');
  if (state === 'control' && isSilenced(object)) {
    return { ...handed, steps: [{ what: 'the HPA reads its metrics and Ebb scales', state: 'done' }] };
  }
  try {
    writtenHpa(object);
  } catch (error) {
    throw new HandOverRefused(`the HPA "${name}" is not valid for Ebb: ${String(error)}`);
  }
  const { minReplicas, maxReplicas, behavior } = spec;
  const copy = {
    spec: Object.fromEntries(
      Object.entries({ minReplicas, maxReplicas, behavior }).filter(([, one]) => one !== undefined),
    ),
    annotations: { [modeAnnotation]: annotations[modeAnnotation] ?? null },
  };
  const marks = { [modeAnnotation]: 'control', ...(kept && isSilenced(object) ? {} : keptText(copy)) };
  const silent = {
    ...spec,
    // At 0 an HPA with a larger minimum reads nothing, and one with this minimum goes on reading.
    minReplicas: numberAt(spec, 'minReplicas') === 0 ? 0 : 1,
    maxReplicas: openMax,
    behavior: silenced,
  };
  if (write) await replace(options, found, rewritten(object, marks, silent));
  const what =
    'the HPA goes on reading its metrics and scales no more (selectPolicy Disabled both ways), a copy of what it was is kept ' +
    `in ${takenOverAnnotation}, and ${modeAnnotation} is "control": one write`;
  return { ...handed, steps: [{ what, state: write ? 'done' : 'to do' }] };
}

function kedaHpaName({ name, body }: KubernetesObject): string {
  return textAt(body, 'spec', 'advanced', 'horizontalPodAutoscalerConfig', 'name') ?? `keda-hpa-${name}`;
}

/** Its mode before it was taken over; null: it said none. */
function modeBefore({ annotations }: KubernetesObject): string | null {
  return textAt(readJson(annotations[takenOverAnnotation] ?? ''), 'annotations', modeAnnotation);
}

/** Resolves once KEDA scales what a ScaledObject names. */
async function hasHpa(options: HandOverOptions, object: KubernetesObject): Promise<void> {
  const at = { namespace: object.namespace, name: kedaHpaName(object) };
  const isThere = async () => (await options.client.get(resources.horizontalPodAutoscalers, at)) !== null;
  if (await lookUntil(options, isThere)) return;
  throw new HandOverRefused(
    `KEDA has not made its HPA ${at.name} yet: ${modeAnnotation} stays "advice" until it has, and nobody scales twice`,
    [
      'run the same command again to go on waiting',
      'where KEDA does not run, nobody scales the target: start it, or take over again',
    ],
    true,
  );
}

function handedOf({ kind, object }: Found): Omit<HandOver, 'steps'> {
  return { kind, namespace: object.namespace, name: object.name, target: targetText(object) };
}

/** What an HPA was before. Throws where that cannot be read. */
function restoredHpa(object: KubernetesObject): {
  spec: Record<string, unknown>;
  annotations: Record<string, string | null>;
} {
  const kept = keptHpa(object);
  if (!kept) {
    throw new HandOverRefused(`${takenOverAnnotation} of the HPA "${object.name}" cannot be read`, [
      'it is the copy of what the HPA was: restore it by hand, from where its file is kept',
    ]);
  }
  const { minReplicas: _min, maxReplicas: _max, behavior: _behavior, ...rest } = objectAt(object.body, 'spec');
  return { spec: { ...rest, ...kept.spec }, annotations: { ...kept.annotations, [takenOverAnnotation]: null } };
}

/** Over the version that was read. A status that somebody has written since is no change of what is decided here. */
async function replace(
  options: HandOverOptions,
  { kind, object }: Found,
  body: Record<string, unknown>,
): Promise<void> {
  const { client } = options;
  let version = object;
  for (let left = 5; ; left--) {
    const { resourceVersion } = version;
    const metadata = { ...objectAt(body, 'metadata'), resourceVersion };
    try {
      await client.replace(resourceOf[kind], object, { ...body, metadata, status: version.body.status });
      return;
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      const now = await client.get(resourceOf[kind], object);
      if (!now || left === 0 || writtenText(now) !== writtenText(object)) {
        throw new HandOverRefused(`the ${kind} "${object.name}" was changed by others just now`, ['run it again']);
      }
      version = now;
    }
  }
}

/** All of an object that people and controllers write, but its status. */
function writtenText({ uid, labels, annotations, deletedAtMs, body }: KubernetesObject): string {
  return JSON.stringify([uid, labels, annotations, deletedAtMs, body.spec]);
}

/** Since when the operator says that it advises on a target; null: it does not say so. */
async function advisedSince({ client, lease }: HandOverOptions, object: KubernetesObject): Promise<number | null> {
  const configMap = await client.get(resources.configMaps, adviceConfigMap(lease));
  const isJobs = object.kind === 'ScaledJob';
  const name = isJobs ? object.name : (textAt(object.body, 'spec', 'scaleTargetRef', 'name') ?? '');
  const document = `${object.kind}/${object.name}`;
  const text = textAt(configMap?.body, 'data', adviceKey({ namespace: object.namespace, name, document }));
  return text === null ? null : (readComparison(readJson(text))?.sinceMs ?? null);
}

/** Resolves once the operator advises on it, and not only since before it was in charge. */
async function heard(options: HandOverOptions, object: KubernetesObject, before: number | null): Promise<void> {
  const isHeard = await lookUntil(options, async () => {
    const since = await advisedSince(options, object);
    return since !== null && since !== before;
  });
  if (isHeard) return;
  throw new HandOverRefused(
    'the operator has not said yet that it lets go: what was in charge before is not started beside it',
    ['run the same command again to go on', 'where no operator runs any more, its lease runs out within a minute'],
    true,
  );
}
