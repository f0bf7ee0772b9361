import type { Reading, TriggerPort, TriggerRequest, TriggerSet } from '@ebb/core';
import type { KedaTriggerSpec, ObjectKey } from '@ebb/documents';
import type { AnyScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { asFormulaSources } from '../contract/formulaTarget.ts';
import { readSettings } from '../contract/readSettings.ts';
import type { InsideView, ScalerContext } from '../contract/source.ts';
import { Connections } from './connections.ts';
import { openTrigger } from './openTrigger.ts';
import { TriggerReader } from './triggerReader.ts';

export interface TriggerPortOptions {
  /** Definition of a trigger's type; undefined: not available here. */
  find(type: string): AnyScaler | undefined;
  nowMs(): number;
  wallNowMs(): number;
  /** Variables of the machine, for `envFromHost`. */
  hostEnv: Readonly<Record<string, string | undefined>>;
  /** Parameters that a trigger's authentication gives. Rejects with `SourceError`. */
  authenticate(
    reference: NonNullable<KedaTriggerSpec['authentication']>,
    object: ObjectKey,
    env: Readonly<Record<string, string>>,
  ): Promise<Record<string, string>>;
  inside(namespace: string): InsideView;
  log: ScalerContext['log'];
  /** Longest time for one read. Default 3000, as KEDA's. */
  timeoutMs?: number;
}

const defaultTimeoutMs = 3000;

/** Opens what documents name as triggers; triggers of the same place and account share their connection. */
export function createTriggerPort(options: TriggerPortOptions): TriggerPort {
  const connections = new Connections();
  return { open: (request) => openSet(options, connections, request) };
}

function openSet(options: TriggerPortOptions, connections: Connections, request: TriggerRequest): TriggerSet {
  const env = { ...request.env };
  for (const name of request.envFromHost) {
    const value = options.hostEnv[name];
    if (value !== undefined) env[name] ??= value;
  }
  const { triggers } = request;
  const external = (request.hasFormula ? asFormulaSources(triggers, options.find) : triggers)
    .map((trigger, index) => ({ trigger, index, definition: options.find(trigger.type) }))
    .filter(({ trigger }) => trigger.type !== 'cpu' && trigger.type !== 'memory');
  const unsupported = external.flatMap(({ trigger, definition }) => (definition ? [] : [trigger.name]));
  const readers = new Map(
    external.flatMap(({ trigger, index, definition }) =>
      definition ? [[trigger.name, readerOf(options, connections, request, trigger, index, definition, env)]] : [],
    ),
  );
  const missing = ({ name, type }: KedaTriggerSpec): Reading => ({
    trigger: name,
    class: null,
    value: null,
    peak: null,
    spanMs: 0,
    atMs: options.nowMs(),
    state: 'missing',
    message: `triggers of type ${type} are not available; the last capacity is held`,
  });
  return {
    targets: targetsOf(external, env),
    unsupported,
    read: () =>
      Promise.all(
        external.map(({ trigger }) => readers.get(trigger.name)?.read() ?? Promise.resolve(missing(trigger))),
      ),
    watch(listener) {
      let isOver = false;
      for (const reader of readers.values()) reader.follow((reading) => !isOver && listener([reading]));
      const lost = external.filter(({ definition }) => !definition).map(({ trigger }) => missing(trigger));
      if (lost.length > 0) queueMicrotask(() => !isOver && listener(lost));
      return () => {
        isOver = true;
      };
    },
    async close() {
      await Promise.all([...readers.values()].map((reader) => reader.close()));
    },
  };
}

function readerOf(
  options: TriggerPortOptions,
  connections: Connections,
  request: TriggerRequest,
  trigger: KedaTriggerSpec,
  triggerIndex: number,
  definition: AnyScaler,
  env: Readonly<Record<string, string>>,
): TriggerReader {
  const { namespace, name } = request.key;
  const context: ScalerContext = {
    connections,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    nowMs: options.nowMs,
    wallNowMs: options.wallNowMs,
    inside: options.inside(namespace),
    object: { namespace, name, kind: request.kind },
    triggerIndex,
    log: options.log,
  };
  return new TriggerReader({
    name: trigger.name,
    type: trigger.type,
    context,
    async open() {
      const { authentication, metadata } = trigger;
      const auth = authentication ? await options.authenticate(authentication, request.key, env) : {};
      return openTrigger(definition, { metadata, auth, env }, context);
    },
  });
}

/** Targets as far as they do not need a sign-in to be known. */
function targetsOf(
  triggers: readonly { trigger: KedaTriggerSpec; definition: AnyScaler | undefined }[],
  env: Readonly<Record<string, string>>,
): TriggerSet['targets'] {
  const targets: Record<string, { target: number; activationTarget: number }> = {};
  for (const { trigger, definition } of triggers) {
    const target = definition ? targetOf(definition, trigger, env) : null;
    if (target) targets[trigger.name] = target;
  }
  return targets;
}

/** What a trigger aims at; null where only its source knows, or its settings are wrong. */
function targetOf(
  definition: AnyScaler,
  trigger: Pick<KedaTriggerSpec, 'metadata'>,
  env: Readonly<Record<string, string>>,
): { target: number; activationTarget: number } | null {
  const { settings } = readSettings(definition.parameters, { metadata: trigger.metadata, auth: null, env });
  try {
    const found = definition.target(settings);
    return found && found.target > 0 ? found : null;
  } catch (error) {
    if (error instanceof SourceError) return null;
    throw error;
  }
}
