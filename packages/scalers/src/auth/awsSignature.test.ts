import { describe, expect, it } from 'vitest';
import { signAwsRequest } from './awsSignature.ts';

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
