import { readFile, realpath } from 'node:fs/promises';
import { Connections } from '../runtime/connections.ts';
import { openHttp } from '../runtime/http.ts';
import { AnswerCache } from './answerCache.ts';
import type { AuthenticationLookups, AuthenticationSpec } from './authentication.ts';

/** Real files and HTTP; objects and variables are those given. */
export function testLookups(changes: Partial<AuthenticationLookups> = {}): AuthenticationLookups {
  const nowMs = changes.nowMs ?? (() => performance.now());
  return {
    secret: async () => null,
    configMap: async () => null,
    env: () => undefined,
    ownEnv: () => undefined,
    readFile: (path) => readFile(path, 'utf8'),
    realPath: realpath,
    serviceAccountToken: async () => null,
    http: openHttp({ connections: new Connections() }),
    cache: new AnswerCache(nowMs),
    wallNowMs: () => Date.now(),
    ...changes,
    nowMs,
  };
}

export function authenticationOf(changes: Partial<AuthenticationSpec>): AuthenticationSpec {
  return {
    key: { cluster: 'local', namespace: 'default', name: 'login' },
    kind: 'TriggerAuthentication',
    podIdentity: null,
    secretTargetRef: [],
    configMapTargetRef: [],
    env: [],
    filePath: null,
    hashiCorpVault: null,
    awsSecretManager: null,
    boundServiceAccountToken: [],
    oauth2: null,
    azureKeyVault: null,
    gcpSecretManager: null,
    ...changes,
  };
}
