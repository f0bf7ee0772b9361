import { type AwsAuthorization, awsAuthorizationKey, awsCredentialsOf } from '../auth/cloud/awsAuthorization.ts';
import { type CloudAccess, type CloudToken, sharedToken } from '../auth/cloud/cloudAccess.ts';
import { presignAwsAddress } from '../auth/awsSignature.ts';
import { cacheKey } from '../auth/cacheKey.ts';

const expiresSeconds = 900;
/** It ends with the credentials that signed it, and those are good for five minutes at least. */
const lifetimeMs = 300_000;

/**
 * The token that Amazon MSK takes as OAUTHBEARER for an identity of AWS: the signed address of a request that is never sent, in
 * base64url. Source: https://github.com/aws/aws-msk-iam-sasl-signer-js (its README describes the token).
 */
export function mskToken(access: CloudAccess, authorization: AwsAuthorization, region: string): CloudToken {
  const key = cacheKey('msk', awsAuthorizationKey(authorization), region);
  return sharedToken(access, key, async (signal) => {
    const credentials = await awsCredentialsOf(access, authorization, region, signal);
    const url = `https://kafka.${region}.amazonaws.com/?Action=kafka-cluster%3AConnect`;
    const scope = { region, service: 'kafka-cluster', wallNowMs: access.wallNowMs(), expiresSeconds };
    const address = `${presignAwsAddress(url, credentials, scope)}&User-Agent=ebb`;
    return { token: Buffer.from(address).toString('base64url'), lifetimeMs };
  });
}
