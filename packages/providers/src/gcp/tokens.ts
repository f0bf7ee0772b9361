import { ProviderError } from '@ebb/core';
import { objectAt, textAt } from '../cloud/json.ts';
import type { TokenSource } from './computeApi.ts';

const scopes = ['https://www.googleapis.com/auth/cloud-platform'];

/**
 * Tokens for a Secret's value: the JSON key of a service account, or a ready access token; null: application default
 * credentials. The library is loaded with the first question. Messages never have anything of the secret.
 */
export function gcpTokens(secret: string | null): TokenSource {
  const text = secret?.trim() ?? null;
  if (text !== null && !text.startsWith('{')) {
    if (!/^[-\w.~+/=]+$/.test(text))
      return refuse('the Secret is neither the JSON key of a service account nor a token');
    return () => Promise.resolve(text);
  }
  let source: Promise<() => Promise<string | null | undefined>> | null = null;
  return async () => {
    try {
      source ??= openSource(text);
      const token = await (await source)();
      if (token) return token;
    } catch (error) {
      source = null;
      if (error instanceof ProviderError) throw error;
      throw errorOfSignIn(error);
    }
    throw new ProviderError('refused', 'Google Cloud: signing in gave no token');
  };
}

async function openSource(text: string | null): Promise<() => Promise<string | null | undefined>> {
  const { GoogleAuth, JWT } = await import('google-auth-library');
  if (text === null) {
    const auth = new GoogleAuth({ scopes });
    return () => auth.getAccessToken();
  }
  const key = parsedKey(text);
  const jwt = new JWT({ email: key.email, key: key.privateKey, scopes });
  return async () => (await jwt.getAccessToken()).token;
}

function parsedKey(text: string): { email: string; privateKey: string } {
  let key: unknown;
  try {
    key = JSON.parse(text);
  } catch {
    // The parser's own message would quote the key.
    throw new ProviderError('refused', 'Google Cloud: the Secret is not JSON');
  }
  const email = textAt(key, 'client_email');
  const privateKey = textAt(key, 'private_key');
  if (email === null || privateKey === null) {
    const has = Object.keys(objectAt(key)).join(', ') || 'nothing';
    throw new ProviderError(
      'refused',
      `Google Cloud: the key of a service account has client_email and private_key, this has ${has}`,
    );
  }
  return { email, privateKey };
}

function errorOfSignIn(error: unknown): ProviderError {
  const status = objectAt(error, 'response').status;
  const code = objectAt(error).code;
  const isRefused = typeof status === 'number' && status >= 400 && status < 500 && status !== 429;
  const isMissing = error instanceof Error && /default credentials/i.test(error.message);
  const isKey = error instanceof Error && /DECODER|PEM|asn1|private key/i.test(error.message);
  if (isMissing) {
    return new ProviderError(
      'refused',
      'Google Cloud: there are no application default credentials; credentialsSecretRef names a Secret with a key',
    );
  }
  if (isKey) return new ProviderError('refused', 'Google Cloud: private_key of the Secret is no key');
  const why = typeof status === 'number' ? `HTTP ${status}` : typeof code === 'string' ? code : 'no answer';
  return new ProviderError(isRefused ? 'refused' : 'unavailable', `Google Cloud: signing in failed: ${why}`);
}

function refuse(message: string): TokenSource {
  return () => Promise.reject(new ProviderError('refused', `Google Cloud: ${message}`));
}
