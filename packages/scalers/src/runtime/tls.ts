import { X509Certificate } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { SourceError } from '../contract/errors.ts';

export interface TlsSettings {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  keyPassword?: string | undefined;
  /** No check of the server's certificate. */
  unsafeSsl?: boolean | undefined;
}

/** Node's TLS options from PEM texts. Throws `SourceError` for a certificate that cannot be read or half a pair. */
export function tlsOptions({ ca, cert, key, keyPassword, unsafeSsl }: TlsSettings): ConnectionOptions {
  if ((cert === undefined) !== (key === undefined)) {
    throw new SourceError(
      'bad-setting',
      `cert and key belong together: ${cert === undefined ? 'cert' : 'key'} is missing`,
    );
  }
  for (const [name, pem] of [
    ['ca', ca],
    ['cert', cert],
  ] as const) {
    if (pem === undefined) continue;
    try {
      void new X509Certificate(pem).subject;
    } catch {
      throw new SourceError('bad-setting', `${name} is not a certificate in PEM form`);
    }
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key }),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
    ...(unsafeSsl ? { rejectUnauthorized: false } : {}),
  };
}
