import { readFile } from 'node:fs/promises';
import type { Reading, TriggerPort, TriggerRequest, TriggerSet } from '@ebb/core';
import type { KedaTriggerSpec, ObjectKey } from '@ebb/documents';
import { AnswerCache } from '../auth/answerCache.ts';
import type { ResolvedAuthentication } from '../auth/authentication.ts';
import type { CloudAccess } from '../auth/cloud/cloudAccess.ts';
import type { AnyScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { asFormulaSources } from '../contract/formulaTarget.ts';
import { readSettings } from '../contract/readSettings.ts';
import type { InsideView, ScalerContext } from '../contract/source.ts';
import { Connections } from './connections.ts';
import { openHttp } from './http.ts';
import { openTrigger } from './openTrigger.ts';
import { TriggerReader } from './triggerReader.ts';

export interface TriggerPortOptions {
  /** Definition of a trigger's type; undefined: not available here. */
  find(type: string): AnyScaler | undefined;
  nowMs(): number;
  wallNowMs(): number;
  /** Variables of the machine, for `envFromHost`. */
  hostEnv: Readonly<Record<string, string | undefined>>;
  /** What a trigger's authentication gives. Rejects with `SourceError`. */
  authenticate(
    reference: NonNullable<KedaTriggerSpec['authentication']>,
    object: ObjectKey,
    env: Readonly<Record<string, string>>,
  ): Promise<ResolvedAuthentication>;
  inside(namespace: string): InsideView;
  log: ScalerContext['log'];
  /** Longest time for one read. Default 3000, as KEDA's. */
  timeoutMs?: number;
}

const defaultTimeoutMs = 3000;

/** Opens what documents name as triggers; triggers of the same place and account share their connection. */
export function createTriggerPort(options: TriggerPortOptions): TriggerPort {
  const shared = { connections: new Connections(), cloud: cloudOf(options) };
  return { open: (request) => openSet(options, shared, request) };
}

/** Signing in to clouds is not the business of single triggers: its connection and its tokens last as long as the port. */
function cloudOf({ hostEnv, nowMs, wallNowMs }: TriggerPortOptions): CloudAccess {
  return {
    ownEnv: (name) => hostEnv[name],
    readFile: (path) => readFile(path, 'utf8'),
    http: openHttp({ connections: new Connections() }),
    cache: new AnswerCache(nowMs),
    wallNowMs,
  };
}

type Shared = Pick<ScalerContext, 'connections' | 'cloud'>;

function openSet(options: TriggerPortOptions, shared: Shared, request: TriggerRequest): TriggerSet {
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
      definition ? [[trigger.name, readerOf(options, shared, request, trigger, index, definition, env)]] : [],
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
  shared: Shared,
  request: TriggerRequest,
  trigger: KedaTriggerSpec,
  triggerIndex: number,
  definition: AnyScaler,
  env: Readonly<Record<string, string>>,
): TriggerReader {
  const { namespace, name } = request.key;
  const context: ScalerContext = {
    ...shared,
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
      const { values: auth, identity } = authentication
        ? await options.authenticate(authentication, request.key, env)
        : { values: {}, identity: null };
      return openTrigger(definition, { metadata, auth, env, identity }, context);
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
