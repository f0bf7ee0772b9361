import { readFile, realpath } from 'node:fs/promises';
import type { DocumentStore, TriggerPort } from '@ebb/core';
import {
  type KedaTriggerSpec,
  type ObjectKey,
  resolveConfigMap,
  resolveSecret,
  resolveTriggerAuthentication,
} from '@ebb/documents';
import type { Engine } from '@ebb/engine';
import {
  AnswerCache,
  type AuthenticationLookups,
  Connections,
  createTriggerPort,
  findScaler,
  type InsideView,
  openHttp,
  type ResolvedAuthentication,
  resolveAuthentication,
  SourceError,
} from '@ebb/scalers';
import { insideView } from './insideView.ts';
import type { Log } from './log.ts';

export interface TriggersOptions {
  documents: DocumentStore;
  /** The engine, once it is made: what triggers see of Ebb itself. */
  engine(): Engine;
  nowMs(): number;
  log: Log;
  /** Reads the metrics of a cluster; left out: this runs in none. */
  clusterMetric?: NonNullable<InsideView['clusterMetric']>;
}

/** Longest time for a sign-in: vaults and clouds answer slower than sources. */
const signInTimeoutMs = 10_000;

/** Triggers of the documents that are stored, signed in to by the authentications, Secrets and ConfigMaps beside them. */
export function liveTriggers({ documents, engine, nowMs, log, clusterMetric }: TriggersOptions): TriggerPort {
  const http = openHttp({ connections: new Connections() });
  const cache = new AnswerCache(nowMs);
  const inside = insideView(engine);

  async function authenticate(
    reference: NonNullable<KedaTriggerSpec['authentication']>,
    object: ObjectKey,
    env: Readonly<Record<string, string>>,
  ): Promise<ResolvedAuthentication> {
    const isOfCluster = reference.kind === 'ClusterTriggerAuthentication';
    const found = isOfCluster
      ? (await documents.list(reference.kind)).find(({ key }) => key.name === reference.name)
      : await documents.get(reference.kind, { ...object, name: reference.name });
    if (!found) {
      const where = isOfCluster ? '' : ` in namespace ${object.namespace}`;
      throw new SourceError('bad-setting', `there is no ${reference.kind} ${reference.name}${where}`);
    }
    const lookups: AuthenticationLookups = {
      secret: async (namespace, name) => {
        const stored = await documents.get('Secret', { ...object, namespace, name });
        return stored && resolveSecret(stored.document).data;
      },
      configMap: async (namespace, name) => {
        const stored = await documents.get('ConfigMap', { ...object, namespace, name });
        return stored && resolveConfigMap(stored.document).data;
      },
      env: (name) => (Object.hasOwn(env, name) ? env[name] : undefined),
      ownEnv: (name) => process.env[name],
      readFile: (path) => readFile(path, 'utf8'),
      realPath: (path) => realpath(path),
      serviceAccountToken: async () => null,
      http,
      cache,
      nowMs,
      wallNowMs: () => Date.now(),
      fileRoot: process.env.KEDA_FILE_AUTH_ROOT ?? null,
    };
    return resolveAuthentication(
      resolveTriggerAuthentication(found.document),
      lookups,
      AbortSignal.timeout(signInTimeoutMs),
    );
  }

  return createTriggerPort({
    find: findScaler,
    nowMs,
    wallNowMs: () => Date.now(),
    hostEnv: process.env,
    authenticate,
    inside: clusterMetric ? (namespace) => ({ ...inside(namespace), clusterMetric }) : inside,
    log,
  });
}
