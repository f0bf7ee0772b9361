import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CloudServer } from '../auth/cloud/cloudServer.fixture.ts';
import { findScaler } from '../registry.ts';
import { createTriggerPort } from './triggerPort.ts';

const jwt = 'jwt-of-the-service-account';
const bearer = 'bearer-of-the-cloud';
let tokens: CloudServer;
let monitor: CloudServer;
let folder = '';
beforeAll(async () => {
  [tokens, monitor] = await Promise.all([new CloudServer().start(), new CloudServer().start()]);
  folder = await mkdtemp(join(tmpdir(), 'ebb-identity-'));
});
afterAll(async () => {
  await Promise.all([tokens.stop(), monitor.stop()]);
  await rm(folder, { recursive: true });
});

it('reads with the identity that the authentication names, and holds and says why while it gives no token', async () => {
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, jwt);
  const told: string[] = [];
  const port = createTriggerPort({
    find: findScaler,
    nowMs: () => performance.now(),
    wallNowMs: () => Date.now(),
    hostEnv: {
      AZURE_CLIENT_ID: 'ebb',
      AZURE_TENANT_ID: 't',
      AZURE_FEDERATED_TOKEN_FILE: tokenFile,
      AZURE_AUTHORITY_HOST: tokens.url,
    },
    authenticate: async () => ({ values: {}, identity: { provider: 'azure-workload' } }),
    inside: () => ({ replicas: () => 0, requests: () => null, watch: () => () => {} }),
    log: (_level, message, data) => told.push(message, JSON.stringify(data)),
  });
  const trigger = (name: string) => ({
    name,
    type: 'prometheus',
    metricType: 'AverageValue' as const,
    useCachedMetrics: false,
    metadata: { serverAddress: monitor.url, query: 'up', threshold: '1' },
    authentication: { kind: 'TriggerAuthentication' as const, name: 'cloud' },
  });
  const set = port.open({
    key: { cluster: 'local', namespace: 'default', name: 'w' },
    kind: 'ScaledObject',
    triggers: [trigger('a'), trigger('b')],
    hasFormula: false,
    env: {},
    envFromHost: [],
  });
  try {
    tokens.answer = ({ form }) => ({ status: 400, body: { error: 'no', error_description: form.client_assertion } });
    for (const reading of await set.read(0)) {
      expect(reading).toMatchObject({
        value: null,
        state: 'error',
        message: expect.stringContaining('gave no token (400)'),
      });
      expect(reading.message).not.toContain(jwt);
    }
    tokens.asked = [];
    tokens.answer = () => ({ body: { access_token: bearer, expires_in: 3600 } });
    const vector = { resultType: 'vector', result: [{ metric: {}, value: [1, '4'] }] };
    monitor.answer = ({ headers }) =>
      headers.authorization === `Bearer ${bearer}` ? { body: { data: vector } } : { status: 401 };
    expect(await set.read(0)).toMatchObject([
      { trigger: 'a', value: 4, state: 'ok' },
      { trigger: 'b', value: 4, state: 'ok' },
    ]);
    expect(tokens.asked).toHaveLength(1);
    monitor.answer = () => ({ status: 403, body: 'no right to read' });
    const refused = await set.read(0);
    expect(refused[0]).toMatchObject({
      value: null,
      state: 'error',
      message: expect.stringContaining('no right to read'),
    });
    for (const text of [JSON.stringify(refused), ...told]) expect(text).not.toContain(bearer);
  } finally {
    await set.close();
  }
});
