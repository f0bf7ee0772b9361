import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  available,
  type MotoService,
  type PostgresService,
  type PrometheusService,
  startMoto,
  startPostgres,
  startPrometheus,
} from '../../../testing/src/services/index.ts';
import { readOnce, testContext } from '../contract/sourceConformance.fixture.ts';
import { prometheus } from '../prometheus/prometheus.ts';
import { openTrigger } from '../runtime/openTrigger.ts';
import { postgresql } from '../sql/postgresql.ts';
import type { AwsSecretManagerSpec } from './authentication.ts';
import { signAwsRequest } from './awsSignature.ts';
import { CloudServer, messageOf, TestCloud } from './cloud/cloudServer.fixture.ts';
import { authenticationOf, testLookups } from './lookups.fixture.ts';
import { resolveAuthentication } from './resolveAuthentication.ts';

const region = 'eu-central-1';
/** moto keeps each account's secrets apart, and a role leads into the account that its name says. */
const theirAccount = '222233334444';
const theirRole = `arn:aws:iam::${theirAccount}:role/queue`;
const ebb = { accessKeyId: 'AKIAEBB', secretAccessKey: 'ebb-secret' };

describe.runIf(available('moto'))('roles of AWS', () => {
  let moto: MotoService;
  let cloud: TestCloud;

  /** The secret in the account of whoever has the credentials. */
  async function createSecret(credentials: Parameters<typeof signAwsRequest>[1], value: string): Promise<void> {
    const target = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.CreateSecret' };
    const body = JSON.stringify({ Name: 'queue', SecretString: value });
    const scope = { region, service: 'secretsmanager', wallNowMs: Date.now() };
    const request = { method: 'POST', url: `${moto.url}/`, headers: target, body };
    const { host: _, ...headers } = signAwsRequest(request, credentials, scope);
    const answer = await fetch(moto.url, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }

  beforeAll(async () => {
    moto = await startMoto();
    await createSecret(ebb, 'of Ebb');
    const form = { Action: 'AssumeRole', Version: '2011-06-15', RoleArn: theirRole, RoleSessionName: 'test' };
    const body = new URLSearchParams(form).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const request = { method: 'POST', url: `${moto.url}/`, headers, body };
    const { host: _, ...signed } = signAwsRequest(request, ebb, { region, service: 'sts', wallNowMs: Date.now() });
    const text = await (await fetch(moto.url, { method: 'POST', headers: signed, body })).text();
    const of = (name: string) => new RegExp(`<${name}>([^<]+)<`).exec(text)?.[1] ?? '';
    const theirs = { accessKeyId: of('AccessKeyId'), secretAccessKey: of('SecretAccessKey') };
    await createSecret({ ...theirs, sessionToken: of('SessionToken') }, 'of theirs');
  }, 90_000);
  afterAll(() => moto?.stop());
  beforeEach(() => {
    cloud = new TestCloud();
    cloud.clockMs = Date.now();
    cloud.env = { AWS_ENDPOINT_URL: moto.url, AWS_REGION: region, AWS_EC2_METADATA_DISABLED: 'true' };
  });

  async function read(podIdentity: AwsSecretManagerSpec['podIdentity']) {
    const { ownEnv, readFile, http, cache, wallNowMs } = cloud;
    const lookups = testLookups({ ownEnv, readFile, http, cache, wallNowMs });
    const spec = { podIdentity, secrets: [{ parameter: 'password', name: 'queue' }] };
    const authentication = authenticationOf({ awsSecretManager: spec });
    return (await resolveAuthentication(authentication, lookups, AbortSignal.timeout(10_000))).values;
  }

  it('lead to the secrets of their accounts, taken on by a key', async () => {
    cloud.env = { ...cloud.env, AWS_ACCESS_KEY_ID: ebb.accessKeyId, AWS_SECRET_ACCESS_KEY: ebb.secretAccessKey };
    expect(await read({ provider: 'aws' })).toEqual({ password: 'of Ebb' });
    expect(await read({ provider: 'aws', roleArn: theirRole, externalID: 'x' })).toEqual({ password: 'of theirs' });
  });

  it('lead to the secrets of their accounts, taken on by the token of a service account', async () => {
    cloud.env = { ...cloud.env, AWS_WEB_IDENTITY_TOKEN_FILE: '/irsa', AWS_ROLE_ARN: theirRole };
    cloud.files = { '/irsa': 'token-of-the-service-account' };
    expect(await read({ provider: 'aws' })).toEqual({ password: 'of theirs' });
    cloud.env.AWS_ROLE_ARN = 'arn:aws:iam::123456789012:role/ebb';
    expect(await read({ provider: 'aws' })).toEqual({ password: 'of Ebb' });
    expect(await read({ provider: 'aws', roleArn: theirRole })).toEqual({ password: 'of theirs' });
  });

  it('are refused in the words of the service', async () => {
    cloud.env = { ...cloud.env, AWS_ACCESS_KEY_ID: ebb.accessKeyId, AWS_SECRET_ACCESS_KEY: ebb.secretAccessKey };
    // moto checks keys only after as many calls as it is told to allow without.
    await fetch(`${moto.url}/moto-api/reset-auth`, { method: 'POST', body: '0' });
    try {
      const message = await messageOf(read({ provider: 'aws', roleArn: theirRole }));
      expect(message).toContain(`AWS role ${theirRole} (AssumeRole)`);
      expect(message).toMatch(/gave no token \(403\): \w+/);
      expect(message).not.toContain(ebb.secretAccessKey);
    } finally {
      await fetch(`${moto.url}/moto-api/reset-auth`, { method: 'POST', body: '1000000' });
    }
  });
});

/** An identity of Azure whose authority gives one token after another. */
async function azure(): Promise<{ tokens: CloudServer; cloud: TestCloud }> {
  const tokens = await new CloudServer().start();
  tokens.answer = () => ({ body: { access_token: `token-${tokens.asked.length}`, expires_in: 3600 } });
  const cloud = new TestCloud();
  cloud.env = {
    AZURE_CLIENT_ID: 'ebb',
    AZURE_TENANT_ID: 't',
    AZURE_FEDERATED_TOKEN_FILE: '/jwt',
    AZURE_AUTHORITY_HOST: tokens.url,
  };
  cloud.files = { '/jwt': 'jwt' };
  return { tokens, cloud };
}

const identity = { provider: 'azure-workload' } as const;

describe.runIf(available('prometheus'))('Prometheus behind a proxy that asks for a token', () => {
  let service: PrometheusService;
  let proxy: Server;
  let right = 'token-1';
  beforeAll(async () => {
    service = await startPrometheus();
    proxy = createServer((request, response) => {
      if (request.headers.authorization !== `Bearer ${right}`) return response.writeHead(401).end();
      const { authorization: _, ...headers } = request.headers;
      const onward = forward(`${service.url}${request.url}`, { headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy()).end();
      return undefined;
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  }, 60_000);
  afterAll(async () => {
    proxy?.closeAllConnections();
    await new Promise((resolve) => proxy?.close(resolve));
    await service?.stop();
  });

  it('is read with the token, and with a new one after it was withdrawn', async () => {
    const { tokens, cloud } = await azure();
    const context = testContext({ cloud });
    const { port } = proxy.address() as AddressInfo;
    const metadata = { serverAddress: `http://127.0.0.1:${port}`, query: 'vector(1 + 2)', threshold: '1' };
    const source = openTrigger(prometheus, { metadata, auth: {}, env: {}, identity }, context);
    try {
      expect(await readOnce(source, context)).toMatchObject({ value: 3 });
      right = 'token-2';
      expect(await readOnce(source, context)).toMatchObject({ value: 3 });
      right = 'never';
      await expect(readOnce(source, context)).rejects.toMatchObject({ code: 'unauthorized' });
    } finally {
      await source.close();
      await tokens.stop();
    }
  });
});

describe.runIf(available('postgres'))('PostgreSQL whose password is a token', () => {
  let service: PostgresService;
  beforeAll(async () => {
    service = await startPostgres();
    await service.sql(`create role scaler login password 'token-1'`);
  }, 60_000);
  afterAll(() => service?.stop());

  it('is asked with the token, and with a new one after it was withdrawn', async () => {
    const { tokens, cloud } = await azure();
    const context = testContext({ cloud });
    const { host, port, database } = service;
    const metadata = {
      query: 'select 7',
      targetQueryValue: '5',
      ...{ host, port: String(port), userName: 'scaler', dbName: database, sslmode: 'disable' },
    };
    const open = () => openTrigger(postgresql, { metadata, auth: { password: 'other' }, env: {}, identity }, context);
    const source = open();
    try {
      expect(await readOnce(source, context)).toMatchObject({ value: 7 });
      expect(tokens.last?.form.scope).toBe('https://ossrdbms-aad.database.windows.net/.default');
      await service.sql(`alter role scaler password 'token-2'`);
      // What is connected stays so; who comes later needs the new one.
      expect(await readOnce(source, context)).toMatchObject({ value: 7 });
      await service.restart();
      await expect(readOnce(source, context)).rejects.toMatchObject({ code: 'unauthorized' });
      expect(await readOnce(source, context)).toMatchObject({ value: 7 });
      tokens.answer = () => ({ status: 500 });
      cloud.clockMs += 3_600_000;
      await expect(readOnce(source, context)).rejects.toMatchObject({ message: expect.stringContaining('(500)') });
    } finally {
      await source.close();
      await tokens.stop();
    }
    expect(context.connections.size).toBe(0);
  });
});
