import { CloudServer, TestCloud } from '../auth/cloud/cloudServer.fixture.ts';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../contract/readSettings.ts';
import { readOnce, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger } from '../runtime/openTrigger.ts';
import { rabbitmq } from './rabbitmq.ts';

const env = { URL: 'amqp://user:secret@somehost.com:5236/vhost', USER: 'user', PASSWORD: 'Password' };

function problems(metadata: Record<string, string>, auth: Record<string, string> | null = {}): string[] {
  const read = readSettings(rabbitmq.parameters, { metadata, auth, env });
  const found = read.problems.length > 0 ? read.problems : (rabbitmq.check?.(read.settings, { metadata, auth }) ?? []);
  return found.filter(({ severity }) => severity !== 'warning').map(({ parameter }) => parameter);
}

const at = (host: string, more: Record<string, string> = {}) => ({ queueName: 'sample', host, ...more });
const fromEnv = (more: Record<string, string> = {}) => ({ queueName: 'sample', hostFromEnv: 'URL', ...more });

// After the cases of KEDA's own parser test.
describe('settings of rabbitmq', () => {
  it.each<[Record<string, string>, Record<string, string>?]>([
    [fromEnv({ queueLength: '10' })],
    [fromEnv({ vhostName: 'myVhost' })],
    [fromEnv({ vhostName: '' })],
    [at('http://h')],
    [at('https://h')],
    [at('https://h', { mode: 'QueueLength', value: '20' })],
    [at('amqps://h', { mode: 'QueueLength', value: '0.5' })],
    [at('http://h', { mode: 'MessageRate', value: '1000', useRegex: 'true', pageSize: '100' })],
    [at('http://h', { mode: 'QueueLength', value: '1', timeout: '1000' })],
    [at('http://h', { mode: 'QueueLength', value: '1', timeout: '1m30s' })],
    [at('amqp://h', { timeout: '10' })],
    [at('http://h', { excludeUnacknowledged: 'true', operation: 'avg' })],
    [fromEnv(), { username: 'user', password: 'PASSWORD' }],
    [fromEnv({ usernameFromEnv: 'USER', passwordFromEnv: 'PASSWORD' })],
    [fromEnv(), { tls: 'enable', cert: 'c', key: 'k' }],
    [at('http://h'), { oauthTokenURI: 'https://t', clientID: 'c', clientSecret: 's', scopes: 'a,b' }],
  ])('%o is right', (metadata, auth) => expect(problems(metadata, auth)).toEqual([]));

  it.each<[string, Record<string, string>, Record<string, string>?]>([
    ['host', { queueName: 'sample' }],
    ['queueName', { hostFromEnv: 'URL' }],
    ['queueLength', fromEnv({ queueLength: 'AA' })],
    ['host', at('something://')],
    ['host', at('not a url', { protocol: 'http' })],
    ['queueLength', at('https://h', { queueLength: '10', mode: 'QueueLength' })],
    ['queueLength', at('https://h', { queueLength: '10', value: '20' })],
    ['value', at('https://h', { mode: 'QueueLength' })],
    ['mode', at('https://h', { value: '20' })],
    ['mode', at('https://h', { mode: 'Feelings', value: '20' })],
    ['value', at('https://h', { mode: 'QueueLength', value: 'lots' })],
    ['mode', at('amqp://h', { mode: 'MessageRate', value: '1000' })],
    ['mode', at('amqps://h', { mode: 'DeliverGetRate', value: '1000' })],
    ['useRegex', at('amqps://h', { useRegex: 'true' })],
    ['excludeUnacknowledged', at('amqp://h', { excludeUnacknowledged: 'true' })],
    ['timeout', at('http://h', { timeout: '-10' })],
    ['timeout', at('http://h', { timeout: 'error' })],
    ['timeout', at('amqp://h', { mode: 'QueueLength', value: '1', timeout: '10' })],
    ['pageSize', at('http://h', { pageSize: '0' })],
    ['activationValue', at('http://h', { activationValue: 'AA' })],
    ['unsafeSsl', at('https://h', { unsafeSsl: 'random' })],
    ['protocol', at('https://h', { protocol: 'mqtt' })],
    ['tls', fromEnv(), { tls: 'yes' }],
    ['cert', fromEnv(), { tls: 'enable', key: 'k' }],
    ['key', fromEnv(), { tls: 'enable', cert: 'c' }],
    ['password', fromEnv(), { username: 'user' }],
    ['username', fromEnv({ passwordFromEnv: 'PASSWORD' })],
    ['workloadIdentityResource', fromEnv(), { workloadIdentityResource: 'r' }],
    ['oauthTokenURI', at('amqp://h'), { oauthTokenURI: 'https://t', clientID: 'c', clientSecret: 's' }],
    ['clientSecret', at('http://h'), { oauthTokenURI: 'https://t', clientID: 'c' }],
    [
      'oauthTokenURI',
      at('http://h'),
      { oauthTokenURI: 'https://t', clientID: 'c', clientSecret: 's', username: 'u', password: 'p' },
    ],
  ])('%s is at fault in %o %o', (parameter, metadata, auth) => expect(problems(metadata, auth)).toEqual([parameter]));

  it('does not miss what the authentication may give', () => {
    expect(problems({ queueName: 'sample' }, null)).toEqual([]);
  });

  it.each([
    [{}, 20, 0],
    [{ value: '0' }, 20, 0],
    [{ queueLength: '7' }, 7, 0],
    [{ mode: 'MessageRate', value: '2.5', activationValue: '3' }, 2.5, 3],
  ])('%o aims at %d', (metadata: Record<string, string>, target, activationTarget) => {
    const { settings } = readSettings(rabbitmq.parameters, { metadata: at('http://h', metadata), auth: {}, env: {} });
    expect(rabbitmq.target(settings)).toEqual({ target, activationTarget });
  });

  it('has the metric names of KEDA, which are escaped before they are normalised', () => {
    const { settings } = readSettings(rabbitmq.parameters, {
      metadata: at('http://h', { queueName: "a/b c'" }),
      auth: {},
      env: {},
    });
    expect(rabbitmq.metricName(settings)).toBe('rabbitmq-a%2Fb+c%27');
  });

  it('shows the management plugin the token of an identity', async () => {
    const [tokens, broker] = await Promise.all([new CloudServer().start(), new CloudServer().start()]);
    const cloud = new TestCloud();
    cloud.env = { AZURE_TENANT_ID: 't', AZURE_FEDERATED_TOKEN_FILE: '/jwt', AZURE_AUTHORITY_HOST: tokens.url };
    cloud.files = { '/jwt': 'jwt' };
    tokens.answer = () => ({ body: { access_token: `token-${tokens.asked.length}`, expires_in: 3600 } });
    let right = 'token-1';
    broker.answer = ({ headers }) =>
      headers.authorization === `Bearer ${right}` ? { body: { messages: 3, messages_ready: 3 } } : { status: 401 };
    const context = testContext({ cloud });
    const values = { metadata: at(broker.url), auth: { workloadIdentityResource: 'api://mq' }, env: {} };
    const identity = { provider: 'azure-workload' as const, identityId: 'mine' };
    const source = openTrigger(rabbitmq, { ...values, identity }, context);
    try {
      expect(await readOnce(source, context)).toMatchObject({ value: 3 });
      expect(tokens.last?.form).toMatchObject({
        client_id: 'mine',
        client_assertion: 'jwt',
        scope: 'api://mq/.default',
      });
      right = 'token-2';
      await expect(readOnce(source, context)).rejects.toMatchObject({ code: 'unauthorized' });
      expect(await readOnce(source, context)).toMatchObject({ value: 3 });
    } finally {
      await source.close();
      await Promise.all([tokens.stop(), broker.stop()]);
    }
    expect(context.connections.size).toBe(0);
  });
});
