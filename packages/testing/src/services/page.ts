import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { TlsFiles } from './tlsFiles.ts';

const answerWithinMs = 5_000;

export interface WebAnswer {
  readonly status: number;
  readonly text: string;
}

/** Gets a page. (`fetch` cannot be told which authority to trust.) */
export function getPage(
  url: string,
  { tls, auth }: { readonly tls?: TlsFiles; readonly auth?: { readonly user: string; readonly password: string } } = {},
): Promise<WebAnswer> {
  const options = {
    timeout: answerWithinMs,
    agent: false,
    ...(auth ? { auth: `${auth.user}:${auth.password}` } : {}),
    ...(tls ? { ca: tls.pem.caCert, cert: tls.pem.clientCert, key: tls.pem.clientKey } : {}),
  } as const;
  return new Promise((resolve, reject) => {
    const request = (tls ? httpsGet : httpGet)(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${url} does not answer`)));
    request.on('error', reject);
  });
}
