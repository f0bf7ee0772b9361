import { createHash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SASLOptions } from '@platformatic/kafka';
import type { CloudToken } from '../auth/cloud/cloudAccess.ts';
import { type ClientCredentials, type OAuthToken, openOAuthToken } from '../auth/oauthToken.ts';
import { SourceError } from '../contract/errors.ts';
import type { ScalerContext } from '../contract/source.ts';
import { type TlsSettings, tlsOptions } from '../runtime/tls.ts';
import type { BrokerAddress, BrokerOptions } from './broker.ts';

const mechanisms = { plaintext: 'PLAIN', scram_sha256: 'SCRAM-SHA-256', scram_sha512: 'SCRAM-SHA-512' } as const;

export type PasswordSasl = keyof typeof mechanisms;

export type SignIn =
  | { kind: 'none' }
  | { kind: PasswordSasl; username: string; password: string }
  | { kind: 'oauthbearer'; client: ClientCredentials; extensions: Readonly<Record<string, string>> }
  /** The token of an identity of a cloud. */
  | { kind: 'identity'; token: CloudToken };

/** A cluster and who asks it. */
export interface Account {
  bootstrapServers: readonly BrokerAddress[];
  signIn: SignIn;
  tls: TlsSettings | null;
}

/** What tells two accounts apart; holds no secret. */
export function accountKey(account: Account): string {
  return createHash('sha256').update(JSON.stringify(account)).digest('hex');
}

/** How to connect, and what to close in the end. Throws `SourceError` for certificates that cannot be used. */
export function brokerOptions(
  { signIn, tls }: Account,
  context: Pick<ScalerContext, 'connections' | 'timeoutMs' | 'nowMs'>,
): { options: BrokerOptions; close(): Promise<void> } {
  const token = tokenOf(signIn, context);
  return {
    options: {
      timeoutMs: context.timeoutMs,
      tls: tls ? checkedTls(tls) : null,
      sasl: () => saslOptions(signIn, token, context.timeoutMs),
    },
    close: async () => token?.close(),
  };
}

function tokenOf(
  signIn: SignIn,
  context: Pick<ScalerContext, 'connections' | 'timeoutMs' | 'nowMs'>,
): OAuthToken | null {
  if (signIn.kind === 'identity') return signIn.token;
  return signIn.kind === 'oauthbearer' ? openOAuthToken(context, signIn.client) : null;
}

function checkedTls(settings: TlsSettings) {
  const options = tlsOptions(settings);
  try {
    createSecureContext(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SourceError('bad-setting', `cert, key and keyPassword cannot be used together: ${reason}`);
  }
  return options;
}

function saslOptions(signIn: SignIn, token: OAuthToken | null, timeoutMs: number): SASLOptions | null {
  if (signIn.kind === 'none') return null;
  if (signIn.kind !== 'oauthbearer' && signIn.kind !== 'identity') {
    const { kind, username, password } = signIn;
    return { mechanism: mechanisms[kind], username, password };
  }
  let shown = '';
  return {
    mechanism: 'OAUTHBEARER',
    token: async () => {
      shown = (await token?.get(AbortSignal.timeout(timeoutMs))) ?? '';
      return shown;
    },
    oauthBearerExtensions: signIn.kind === 'oauthbearer' ? { ...signIn.extensions } : {},
    // A refused token is told by an answer that looks like success.
    authBytesValidator: (bytes, callback) => {
      if (bytes.length === 0) return callback(null, bytes);
      token?.drop(shown);
      callback(new SourceError('unauthorized', 'the broker refused the OAuth token'));
    },
  };
}
