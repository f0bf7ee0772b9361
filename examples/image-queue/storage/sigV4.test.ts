import { describe, expect, it } from 'vitest';
import { encodedPath, type RequestToSign, signedHeaders } from './sigV4.ts';

/** The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html with their signatures. */
const keys = {
  region: 'us-east-1',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const now = new Date('2013-05-24T00:00:00Z');
const host = 'https://examplebucket.s3.amazonaws.com';

const examples: { name: string; request: RequestToSign; signature: string }[] = [
  {
    name: 'GET of a range',
    request: { method: 'GET', url: new URL(`${host}/test.txt`), headers: { range: 'bytes=0-9' } },
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    name: 'PUT of a name with a dollar sign',
    request: {
      method: 'PUT',
      url: new URL(`${host}${encodedPath('/test$file.text')}`),
      headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      body: Buffer.from('Welcome to Amazon S3.'),
    },
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    name: 'GET of a parameter without a value',
    request: { method: 'GET', url: new URL(`${host}/?lifecycle`) },
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    name: 'GET of a list',
    request: { method: 'GET', url: new URL(`${host}/?prefix=J&max-keys=2`) },
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
];

describe('a signature of a request to S3', () => {
  it.each(examples)("is AWS' own: $name", ({ request, signature }) => {
    expect(signedHeaders(request, keys, now).authorization).toMatch(new RegExp(`, Signature=${signature}$`));
  });

  it('covers the token of temporary keys', () => {
    const { authorization } = signedHeaders(
      { method: 'GET', url: new URL(`${host}/a`) },
      { ...keys, sessionToken: 'token' },
      now,
    );
    expect(authorization).toContain('SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,');
  });
});
