import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { available, type MotoService, startMoto } from '../../../testing/src/services/index.ts';
import { SourceError } from '../contract/errors.ts';
import type { AuthenticationLookups, AwsSecretManagerSpec } from './authentication.ts';
import { signAwsRequest } from './awsSignature.ts';
import { authenticationOf, testLookups } from './lookups.fixture.ts';
import { resolveAuthentication } from './resolveAuthentication.ts';

const region = 'eu-central-1';
const operator = { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'operator-secret' };

describe.runIf(available('moto'))('AWS Secrets Manager', () => {
  let moto: MotoService;
  let url = '';
  let folder = '';
  let lookups: AuthenticationLookups;

  async function call(service: string, target: string, input: object): Promise<Record<string, string>> {
    const request = {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
      body: JSON.stringify(input),
    };
    const headers = signAwsRequest(request, operator, { region, service, wallNowMs: Date.now() });
    delete headers.host;
    const answer = await fetch(url, { method: 'POST', headers, body: request.body });
    if (!answer.ok) throw new Error(`${target}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, string>;
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ebb-aws-'));
    moto = await startMoto();
    url = moto.url;
    await call('secretsmanager', 'secretsmanager.CreateSecret', {
      Name: 'queue',
      SecretString: '{"host":"mq","port":5672}',
    });
    await call('secretsmanager', 'secretsmanager.CreateSecret', { Name: 'тайна', SecretString: 'plain' });
    await call('secretsmanager', 'secretsmanager.CreateSecret', { Name: 'bytes', SecretBinary: 'AAEC' });
    await call('secretsmanager', 'secretsmanager.PutSecretValue', { SecretId: 'тайна', SecretString: 'newer' });
    const env: Record<string, string> = { AWS_ENDPOINT_URL: url };
    lookups = testLookups({
      ownEnv: (name) => env[name],
      secret: async (_, name) => (name === 'aws' ? { id: operator.accessKeyId, key: operator.secretAccessKey } : null),
    });
  });
  afterAll(async () => {
    await lookups?.http.close();
    await moto?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const of = (key: string) => ({ valueFrom: { secretKeyRef: { name: 'aws', key } } });
  const credentials = { accessKey: of('id'), accessSecretKey: of('key') };
  async function resolve(spec: AwsSecretManagerSpec, with_: AuthenticationLookups = lookups) {
    const authentication = authenticationOf({ awsSecretManager: spec });
    return (await resolveAuthentication(authentication, with_, AbortSignal.timeout(10_000))).values;
  }
  async function failure(spec: AwsSecretManagerSpec, with_?: AuthenticationLookups): Promise<SourceError> {
    const error: unknown = await resolve(spec, with_).then(
      () => new Error('it gave values'),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof SourceError)) throw error;
    expect(error.message).not.toContain(operator.secretAccessKey);
    return error;
  }

  it('reads whole values, keys of JSON, Unicode names and older versions', async () => {
    const values = await resolve({
      credentials,
      region,
      secrets: [
        { parameter: 'host', name: 'queue', secretKey: 'host' },
        { parameter: 'port', name: 'queue', secretKey: 'port' },
        { parameter: 'plain', name: 'тайна' },
        { parameter: 'before', name: 'тайна', versionStage: 'AWSPREVIOUS' },
      ],
    });
    expect(values).toEqual({ host: 'mq', port: '5672', plain: 'newer', before: 'plain' });
  });

  it('takes credentials and region from the environment or the shared files', async () => {
    const secrets = [{ parameter: 'plain', name: 'тайна' }];
    const env = { AWS_ENDPOINT_URL: url, AWS_REGION: region, AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 'x' };
    const ofEnv = (name: string) => (env as Record<string, string>)[name];
    expect(await resolve({ secrets }, { ...lookups, ownEnv: ofEnv })).toEqual({ plain: 'newer' });

    const files = { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), AWS_CONFIG_FILE: join(folder, 'config') };
    writeFileSync(
      files.AWS_SHARED_CREDENTIALS_FILE,
      '[default]\naws_access_key_id = no\n\n[ci]\naws_access_key_id=AKIACI\naws_secret_access_key = a=b/c\n',
    );
    writeFileSync(files.AWS_CONFIG_FILE, `[profile ci]\nregion = ${region}\n`);
    const ofFiles = (name: string) =>
      (({ ...files, AWS_PROFILE: 'ci', AWS_ENDPOINT_URL: url }) as Record<string, string>)[name];
    const spec = { secrets, podIdentity: { provider: 'aws' as const } };
    expect(await resolve(spec, { ...lookups, ownEnv: ofFiles })).toEqual({ plain: 'newer' });

    const nothing = { ...lookups, ownEnv: () => undefined };
    expect((await failure({ secrets, region }, nothing)).message).toContain('no AWS credentials were found');
    expect((await failure({ secrets, credentials }, nothing)).message).toContain('region is missing');
  });

  it('says what is missing and what is not available', async () => {
    const read = (secret: AwsSecretManagerSpec['secrets'][number]) =>
      failure({ credentials, region, secrets: [secret] });
    expect(await read({ parameter: 'a', name: 'none' })).toMatchObject({ code: 'not-found' });
    expect(await read({ parameter: 'a', name: 'queue', secretKey: 'none' })).toMatchObject({ code: 'not-found' });
    expect(await read({ parameter: 'a', name: 'тайна', secretKey: 'x' })).toMatchObject({ code: 'bad-answer' });
    expect((await read({ parameter: 'a', name: 'bytes' })).message).toContain('bytes, not text');
    const podIdentity = { provider: 'aws' as const, identityOwner: 'workload' as const };
    expect(await failure({ region, podIdentity, secrets: [{ parameter: 'a', name: 'queue' }] })).toMatchObject({
      code: 'unsupported',
    });
  });

  it('says that the account is refused', async () => {
    // moto checks signatures only after as many calls as it is told to allow without.
    await fetch(`${url}/moto-api/reset-auth`, { method: 'POST', body: '0' });
    try {
      const error = await failure({
        credentials,
        region,
        secrets: [{ parameter: 'a', name: 'queue', versionStage: 'AWSCURRENT' }],
      });
      expect(error.code).toBe('unauthorized');
    } finally {
      await fetch(`${url}/moto-api/reset-auth`, { method: 'POST', body: '1000000' });
    }
  });
});
