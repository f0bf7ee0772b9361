import type { Store, TriggerPort } from '@ebb/core';
import { resolveSecret, resolveTriggerAuthentication } from '@ebb/documents';
import { AnswerCache, Connections, createTriggerPort, findScaler, openHttp, resolveAuthentication } from '@ebb/scalers';

const timeoutMs = 10_000;

/** Triggers of the real kinds, signed in to by the TriggerAuthentications and Secrets of the cluster. */
export function signedInTriggers({ documents }: Store): TriggerPort {
  const http = openHttp({ connections: new Connections() });
  const nowMs = () => Date.now();
  const cache = new AnswerCache(nowMs);
  return createTriggerPort({
    find: findScaler,
    nowMs,
    wallNowMs: nowMs,
    hostEnv: {},
    inside: () => ({ replicas: () => 0, requests: () => null, watch: () => () => {} }),
    async authenticate(reference, object, env) {
      const found = await documents.get(reference.kind, { ...object, name: reference.name });
      if (!found) throw new Error(`there is no ${reference.kind} ${reference.name} in namespace ${object.namespace}`);
      return resolveAuthentication(
        resolveTriggerAuthentication(found.document),
        {
          secret: async (namespace, name) => {
            const stored = await documents.get('Secret', { ...object, namespace, name });
            return stored && resolveSecret(stored.document).data;
          },
          configMap: async () => null,
          env: (name) => env[name],
          ownEnv: () => undefined,
          readFile: (path) => Promise.reject(new Error(`no file ${path} here`)),
          realPath: async (path) => path,
          serviceAccountToken: async () => null,
          http,
          cache,
          nowMs,
          wallNowMs: nowMs,
          fileRoot: null,
        },
        AbortSignal.timeout(timeoutMs),
      );
    },
    log: () => {},
  });
}
