import { describe, expect, it } from 'vitest';
import { presignAwsAddress, signAwsRequest } from './awsSignature.ts';

// AWS's published Signature Version 4 test suite: one key, date, region and service for all of it.
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const scope = { region: 'us-east-1', service: 'service', wallNowMs: Date.parse('2015-08-30T12:36:00Z') };
const url = 'https://example.amazonaws.com/';
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

function signature(authorization: string | undefined): string {
  return /Signature=([0-9a-f]{64})$/.exec(authorization ?? '')?.[1] ?? '';
}

describe('the test suite of AWS', () => {
  it.each([
    ['get-vanilla', 'GET', url, {}, '', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [
      'get-vanilla-query-order-key-case',
      'GET',
      `${url}?Param2=value2&Param1=value1`,
      {},
      '',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'get-header-value-trim',
      'GET',
      url,
      { 'My-Header1': ' value1', 'My-Header2': ' "a   b   c"' },
      '',
      'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
    ],
    ['post-vanilla', 'POST', url, {}, '', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'post-x-www-form-urlencoded',
      'POST',
      url,
      form,
      'Param1=value1',
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ])('%s', (_, method, url, headers, body, expected) => {
    const signed = signAwsRequest({ method, url, headers: { ...headers }, body }, credentials, scope);
    expect(signature(signed.authorization)).toBe(expected);
    expect(signed['x-amz-date']).toBe('20150830T123600Z');
  });

  it('signs the example of the manual, whose service and headers differ', () => {
    const request = {
      method: 'GET',
      url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: '',
    };
    expect(signAwsRequest(request, credentials, { ...scope, service: 'iam' }).authorization).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
  });

  it('signs the token of a session and never shows the secret key', () => {
    const signed = signAwsRequest(
      { method: 'POST', url, headers: {}, body: '{}' },
      { ...credentials, sessionToken: 'session' },
      scope,
    );
    expect(signed['x-amz-security-token']).toBe('session');
    expect(signed.authorization).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token');
    expect(JSON.stringify(signed)).not.toContain(credentials.secretAccessKey);
  });
});

describe('as botocore signs', () => {
  const at = { region: 'eu-west-1', wallNowMs: Date.parse('2026-11-23T10:20:30Z') };
  const msk = 'https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect';
  it.each([
    [undefined, '80b6692c2d220649233c4d52e4cab3124c79f673d709fe3929643d289694792e'],
    ['SESSION/+==', '2a2a78d2a2e4d45befbdddb598ee4d8c62656e5086cc207b0ef58b0e3793209f'],
  ])('an address, with the session %s', (sessionToken, expected) => {
    const options = { ...at, service: 'kafka-cluster', expiresSeconds: 900 };
    const url = new URL(presignAwsAddress(msk, { ...credentials, sessionToken }, options));
    expect(url.origin + url.pathname).toBe('https://kafka.eu-west-1.amazonaws.com/');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      Action: 'kafka-cluster:Connect',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'AKIDEXAMPLE/20261123/eu-west-1/kafka-cluster/aws4_request',
      'X-Amz-Date': '20261123T102030Z',
      'X-Amz-Expires': '900',
      'X-Amz-SignedHeaders': 'host',
      ...(sessionToken ? { 'X-Amz-Security-Token': sessionToken } : {}),
      'X-Amz-Signature': expected,
    });
  });

  it.each([
    [undefined, '2338c32f35a4a9112877a74839bb32e81e49af77ccb14a69f4bdfb8207fd7ea4'],
    ['SESSION/+==', 'b4bd18ea949629f154c42b55e39538d6bc7d3c7c628dc918a71fd5280799ceca'],
  ])('a query of Prometheus, with the session %s', (sessionToken, expected) => {
    const address = new URL('https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/query');
    address.searchParams.append('query', 'sum(rate(x{a="b + ü"}[2m]))*2');
    address.searchParams.append('dedup', 'true');
    const request = { method: 'GET', url: address.href, headers: { 'x-scope-orgid': 'team a' }, body: '' };
    const signed = signAwsRequest(request, { ...credentials, sessionToken }, { ...at, service: 'aps' });
    expect(signature(signed.authorization)).toBe(expected);
  });
});
