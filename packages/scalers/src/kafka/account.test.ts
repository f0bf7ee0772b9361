import { expect, it } from 'vitest';
import { CloudServer, messageOf, TestCloud } from '../auth/cloud/cloudServer.fixture.ts';
import { testContext } from '../contract/sourceConformance.fixture.ts';
import { type Account, accountKey, brokerOptions } from './account.ts';
import { mskToken } from './mskToken.ts';

const credentials = { accessKeyId: 'AKID', secretAccessKey: 'hunter2', sessionToken: undefined };
const accountOf = (cloud: TestCloud): Account => ({
  bootstrapServers: [{ host: 'b', port: 9098 }],
  signIn: { kind: 'identity', token: mskToken(cloud, { kind: 'key', credentials }, 'eu-west-1') },
  tls: {},
});

function saslOf(cloud: TestCloud) {
  const { options } = brokerOptions(accountOf(cloud), testContext({ cloud }));
  const sasl = options.sasl();
  if (sasl?.mechanism !== 'OAUTHBEARER' || typeof sasl.token !== 'function') throw new Error('no token is shown');
  return { token: sasl.token as () => Promise<string>, validate: sasl.authBytesValidator };
}

it('shows a broker the token of the identity, and another one after it was refused', async () => {
  const cloud = new TestCloud();
  const { token, validate } = saslOf(cloud);
  const first = await token();
  expect(Buffer.from(first, 'base64url').toString()).toContain('AKID%2F20261123%2Feu-west-1%2Fkafka-cluster');
  cloud.clockMs += 1000;
  validate?.(Buffer.alloc(0), () => {});
  expect(await token()).toBe(first);
  const told: (Error | null)[] = [];
  validate?.(Buffer.from('{"status":"invalid_token"}'), (error) => told.push(error));
  expect(told).toMatchObject([{ code: 'unauthorized' }]);
  expect(await token()).not.toBe(first);
});

it('connects nobody without a token, and says why', async () => {
  const service = await new CloudServer().start();
  service.answer = () => ({
    status: 403,
    body: '<E><Error><Code>AccessDenied</Code><Message>no</Message></Error></E>',
  });
  const cloud = new TestCloud();
  cloud.env = { AWS_ENDPOINT_URL: service.url, AWS_ACCESS_KEY_ID: 'i', AWS_SECRET_ACCESS_KEY: 'k' };
  const own = { kind: 'own', roleArn: 'arn:r', webIdentity: true } as const;
  const signIn = { kind: 'identity', token: mskToken(cloud, own, 'eu-west-1') } as const;
  const { options } = brokerOptions({ ...accountOf(cloud), signIn }, testContext({ cloud }));
  const sasl = options.sasl();
  try {
    const token = (sasl?.mechanism === 'OAUTHBEARER' ? sasl.token : null) as () => Promise<string>;
    expect(await messageOf(token())).toContain('AWS role arn:r (AssumeRole)');
  } finally {
    await service.stop();
  }
});

it('is told from others without its secret', () => {
  const [cloud, other] = [new TestCloud(), new TestCloud()];
  expect(accountKey(accountOf(cloud))).toBe(accountKey(accountOf(other)));
  expect(accountKey({ ...accountOf(cloud), signIn: { kind: 'none' } })).not.toBe(accountKey(accountOf(cloud)));
});
