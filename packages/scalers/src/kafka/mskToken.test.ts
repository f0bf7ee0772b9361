import { expect, it } from 'vitest';
import { TestCloud, within } from '../auth/cloud/cloudServer.fixture.ts';
import { presignAwsAddress } from '../auth/awsSignature.ts';
import { mskToken } from './mskToken.ts';

const credentials = { accessKeyId: 'AKID', secretAccessKey: 'sk', sessionToken: undefined };

it('is a signed address in base64url, made anew before the credentials end', async () => {
  const cloud = new TestCloud();
  const token = mskToken(cloud, { kind: 'key', credentials }, 'eu-west-1');
  const first = await token.get(within());
  expect(first).toMatch(/^[A-Za-z0-9_-]+$/);
  const address = Buffer.from(first, 'base64url').toString();
  const scope = { region: 'eu-west-1', service: 'kafka-cluster', wallNowMs: cloud.clockMs, expiresSeconds: 900 };
  const url = 'https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect';
  expect(address).toBe(`${presignAwsAddress(url, credentials, scope)}&User-Agent=ebb`);
  cloud.clockMs += 269_000;
  expect(await token.get(within())).toBe(first);
  cloud.clockMs += 1000;
  expect(await token.get(within())).not.toBe(first);
});

it('is one for all with the same account, and keys show none', () => {
  const cloud = new TestCloud();
  const key = (secretAccessKey: string, region = 'r') =>
    mskToken(cloud, { kind: 'key', credentials: { ...credentials, secretAccessKey } }, region).key;
  expect(key('a')).toBe(key('a'));
  expect(new Set([key('a'), key('b'), key('a', 's')]).size).toBe(3);
  expect(key('hunter2')).not.toContain('hunter2');
});
