import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PodIdentity } from '../authentication.ts';
import { signAwsRequest } from '../awsSignature.ts';
import { awsAuthorization, awsCredentialsOf } from './awsAuthorization.ts';
import { ownAwsCredentials, ownAwsRegion } from './awsOwn.ts';
import { type Asked, CloudServer, messageOf, type Said, TestCloud, within } from './cloudServer.fixture.ts';

const region = 'eu-west-1';
const roleArn = 'arn:aws:iam::111122223333:role/queue';
let server: CloudServer;
let cloud: TestCloud;
beforeAll(async () => {
  server = await new CloudServer().start();
});
afterAll(() => server.stop());
beforeEach(() => {
  cloud = new TestCloud();
  cloud.env = { AWS_EC2_METADATA_DISABLED: 'true', AWS_ENDPOINT_URL_STS: server.url };
  server.asked = [];
  server.answer = () => ({ status: 404 });
});

const endsAt = (ms: number) => new Date(cloud.clockMs + ms).toISOString();
const own = () => ownAwsCredentials(cloud, region, within());
const json = (id: string, lifetimeMs: number): Said => ({
  body: { AccessKeyId: id, SecretAccessKey: 'sk', Token: 'tk', Expiration: endsAt(lifetimeMs), Code: 'Success' },
});
const xml = (action: string, id: string, lifetimeMs = 3_600_000): Said => ({
  body: `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>0012</SecretAccessKey><SessionToken>s&amp;t</SessionToken><Expiration>${endsAt(lifetimeMs)}</Expiration></Credentials></${action}Result></${action}Response>`,
});
const refusal = (code: string, message: string): Said => ({
  status: 403,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
});

/** Whether the request is signed by whom it says, with the key of the one that is known. */
function isSigned({ headers, body }: Asked, credentials: Parameters<typeof signAwsRequest>[1]): boolean {
  const names = /SignedHeaders=([^,]+),/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
  const given = Object.fromEntries(
    names
      .filter((name) => !/^(host|x-amz-date|x-amz-security-token)$/.test(name))
      .map((name) => [name, String(headers[name])]),
  );
  const scope = { region, service: 'sts', wallNowMs: cloud.clockMs };
  const expected = signAwsRequest({ method: 'POST', url: `${server.url}/`, headers: given, body }, credentials, scope);
  return names.includes('content-type') && headers.authorization === expected.authorization;
}

describe('own credentials', () => {
  it('are those of the environment first', async () => {
    cloud.env = { ...cloud.env, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key' };
    expect(await own()).toEqual({ accessKeyId: 'id', secretAccessKey: 'key', sessionToken: undefined });
  });

  it('are the role of the service account where there is one', async () => {
    cloud.env = { ...cloud.env, AWS_WEB_IDENTITY_TOKEN_FILE: '/irsa', AWS_ROLE_ARN: roleArn };
    cloud.files = { '/irsa': 'jwt-1' };
    server.answer = () => xml('AssumeRoleWithWebIdentity', `ID${server.asked.length}`);
    expect(await own()).toEqual({ accessKeyId: 'ID1', secretAccessKey: '0012', sessionToken: 's&t' });
    expect(server.last?.form).toEqual({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'ebb',
      WebIdentityToken: 'jwt-1',
    });
    expect(server.last?.headers.authorization).toBeUndefined();
    cloud.clockMs += 3_299_000;
    await own();
    expect(server.asked).toHaveLength(1);
    cloud.files['/irsa'] = 'jwt-2';
    cloud.clockMs += 1000;
    expect(await own()).toMatchObject({ accessKeyId: 'ID2' });
    expect(server.last?.form.WebIdentityToken).toBe('jwt-2');
  });

  it("are the container's: EKS Pod Identity", async () => {
    cloud.env = {
      ...cloud.env,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/eks-token',
    };
    cloud.files = { '/eks-token': 'of-the-pod\n' };
    server.answer = ({ headers }) =>
      headers.authorization === 'of-the-pod'
        ? json('POD', 60_000)
        : { status: 400, body: { message: 'no of-the-pod' } };
    expect(await own()).toEqual({ accessKeyId: 'POD', secretAccessKey: 'sk', sessionToken: 'tk' });
    cloud.clockMs += 53_000;
    await own();
    expect(server.asked).toHaveLength(1);
    cloud.clockMs += 1000;
    await own();
    expect(server.asked).toHaveLength(2);
    cloud.clockMs += 60_000;
    server.answer = () => ({ status: 403, body: { code: 'AccessDenied', message: 'token of-the-pod is of no use' } });
    expect(await messageOf(own())).toContain('gave no token (403): AccessDenied: token *** is of no use');
    cloud.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = 'http://evil.example/v1';
    expect(await messageOf(own())).toContain('AWS_CONTAINER_CREDENTIALS_FULL_URI must be');
  });

  it("are the machine's, asked with a session", async () => {
    cloud.env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: server.url };
    server.answer = ({ method, path, headers }): Said => {
      if (method === 'PUT' && path === '/latest/api/token' && headers['x-aws-ec2-metadata-token-ttl-seconds'])
        return { body: 'session' };
      if (headers['x-aws-ec2-metadata-token'] !== 'session') return { status: 401 };
      return path.endsWith('security-credentials/')
        ? { body: 'node-role\n' }
        : json(path.split('/').at(-1) ?? '', 60_000);
    };
    expect(await own()).toMatchObject({ accessKeyId: 'node-role', sessionToken: 'tk' });
    expect(server.asked.map(({ method }) => method)).toEqual(['PUT', 'GET', 'GET']);
  });

  it('are missed by the names of all places', async () => {
    const message = await messageOf(own());
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'])
      expect(message).toContain(name);
    expect(message).toContain('AWS_EC2_METADATA_DISABLED is true');
    cloud.env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' };
    expect(await messageOf(own())).toContain('AWS instance metadata');
  });

  it('have a region of the environment or of the config file', async () => {
    expect(await ownAwsRegion(cloud)).toBeNull();
    cloud.env.HOME = '/h';
    cloud.files = { '/h/.aws/config': '[default]\nregion = us-west-2\n' };
    expect(await ownAwsRegion(cloud)).toBe('us-west-2');
    cloud.env.AWS_DEFAULT_REGION = region;
    expect(await ownAwsRegion(cloud)).toBe(region);
  });
});

describe('another role', () => {
  const identity: PodIdentity = { provider: 'aws', roleArn, externalID: 'x-1' };
  const settings = { ...none(), awsRoleArn: roleArn, awsExternalId: 'x-1' };
  const key = { accessKeyId: 'id', secretAccessKey: 'key' };
  beforeEach(() => {
    cloud.env = { ...cloud.env, AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey };
  });
  const credentials = (of: PodIdentity | null) => {
    const authorization = awsAuthorization(settings, of);
    if (authorization === null) throw new Error('no authorization');
    return awsCredentialsOf(cloud, authorization, region, within());
  };

  it('is taken on with a signed request', async () => {
    server.answer = ({ form }) => xml(form.Action ?? '', `ROLE${server.asked.length}`);
    expect(await credentials(identity)).toMatchObject({ accessKeyId: 'ROLE1' });
    expect(server.last?.form).toEqual({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'ebb',
      ExternalId: 'x-1',
    });
    expect(server.asked.map((asked) => isSigned(asked, key))).toEqual([true]);
    expect(server.asked.map((asked) => isSigned(asked, { ...key, secretAccessKey: 'other' }))).toEqual([false]);
    await credentials(null);
    expect(server.asked).toHaveLength(1);
  });

  it("is tried with the service account's token first, where the identity is aws", async () => {
    cloud.env.AWS_WEB_IDENTITY_TOKEN_FILE = '/irsa';
    cloud.files = { '/irsa': 'jwt' };
    server.answer = ({ form }) =>
      form.Action === 'AssumeRole' ? xml('AssumeRole', 'CHAINED') : refusal('AccessDenied', 'not jwt');
    expect(await credentials(identity)).toMatchObject({ accessKeyId: 'CHAINED' });
    expect(server.asked.map(({ form }) => form.Action)).toEqual(['AssumeRoleWithWebIdentity', 'AssumeRole']);
    server.answer = ({ form }) => xml(form.Action ?? '', 'DIRECT');
    cloud.clockMs += 3_600_000;
    expect(await credentials(identity)).toMatchObject({ accessKeyId: 'DIRECT' });
    expect(server.last?.form.Action).toBe('AssumeRoleWithWebIdentity');
  });

  it("is not tried with the service account's token where only a Secret names the role", async () => {
    cloud.env.AWS_WEB_IDENTITY_TOKEN_FILE = '/irsa';
    cloud.files = { '/irsa': 'jwt' };
    server.answer = ({ form }) => xml(form.Action ?? '', 'X');
    await credentials(null);
    expect(server.asked.map(({ form }) => form.Action)).toEqual(['AssumeRole']);
  });

  it('is refused in the words of AWS, without what was sent', async () => {
    cloud.env.AWS_WEB_IDENTITY_TOKEN_FILE = '/irsa';
    cloud.files = { '/irsa': 'jwt' };
    server.answer = ({ form }) => refusal('AccessDenied', `${form.Action}: may not, jwt`);
    const message = await messageOf(credentials(identity));
    expect(message).toContain(`AWS role ${roleArn} (AssumeRoleWithWebIdentity)`);
    expect(message).toContain('(403): AccessDenied: AssumeRole: may not');
    expect(message).toContain('may not, ***');
    server.answer = () => ({ status: 500, body: 'no XML <' });
    await expect(credentials(identity)).rejects.toMatchObject({ code: 'unreachable' });
  });
});

function none() {
  return {
    awsAccessKeyID: undefined,
    awsAccessKeyId: undefined,
    awsSecretAccessKey: undefined,
    awsSessionToken: undefined,
    awsRoleArn: undefined,
    awsExternalId: undefined,
    identityOwner: 'pod' as const,
  };
}

describe('who signs in', () => {
  const aws: PodIdentity = { provider: 'aws' };
  const eks: PodIdentity = { provider: 'aws-eks' };
  it.each([
    ['nobody', {}, null, null],
    ['the identity', {}, aws, { kind: 'own', webIdentity: true }],
    ['the identity before a key', { awsAccessKeyID: 'i', awsSecretAccessKey: 'k' }, aws, { kind: 'own' }],
    ['Ebb', { identityOwner: 'operator' as const }, null, { kind: 'own', webIdentity: false }],
    ['Ebb, with aws-eks', { identityOwner: 'operator' as const }, eks, { kind: 'own', webIdentity: false }],
    ['a role', { awsRoleArn: roleArn }, null, { kind: 'own', roleArn, webIdentity: false }],
    [
      'a key',
      { awsAccessKeyId: 'i', awsSecretAccessKey: 'k', awsSessionToken: 't' },
      null,
      { kind: 'key', credentials: { accessKeyId: 'i', secretAccessKey: 'k', sessionToken: 't' } },
    ],
  ])('%s', (_name, changes, identity, expected) => {
    const found = awsAuthorization({ ...none(), ...changes }, identity);
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatchObject(expected);
  });

  it('is not half a key, nor the role of somebody else', () => {
    expect(() => awsAuthorization({ ...none(), awsAccessKeyID: 'i' }, null)).toThrow('awsSecretAccessKey is missing');
    expect(() => awsAuthorization(none(), eks)).toThrow('aws-eks takes the role of the target');
  });
});
