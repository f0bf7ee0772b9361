import { encodedPath, type SigningKeys, signedHeaders } from './sigV4.ts';
import { NotStored, type Storage } from './storage.ts';

export interface S3Settings extends SigningKeys {
  endpoint: URL;
  /** Must exist. */
  bucket: string;
}

const withinMs = 30_000;
const shownAnswer = 300;

/** A bucket of an S3-compatible server, addressed by path (`ENDPOINT/BUCKET/KEY`), which all of them understand. */
export function s3Storage({ endpoint, bucket, ...keys }: S3Settings): Storage {
  const place = `the bucket ${bucket} of ${endpoint.origin}`;

  async function send(method: 'GET' | 'PUT', key: string, body?: Uint8Array, contentType?: string): Promise<Response> {
    const url = new URL(endpoint);
    url.pathname = encodedPath(`${endpoint.pathname.replace(/\/$/, '')}/${bucket}/${key}`);
    const extra: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
    const { host: _host, ...headers } = signedHeaders(
      { method, url, headers: extra, ...(body ? { body } : {}) },
      keys,
      new Date(),
    );
    const response = await fetch(url, {
      method,
      headers,
      ...(body ? { body: Buffer.from(body) } : {}),
      signal: AbortSignal.timeout(withinMs),
    });
    if (response.ok) return response;
    const answer = (await response.text()).slice(0, shownAnswer);
    if (response.status === 404 && /NoSuchKey/.test(answer)) throw new NotStored(key, place);
    throw new Error(`${place} answered ${response.status} to ${method} ${key}: ${answer}`);
  }

  return {
    place,
    async put(key, bytes, contentType) {
      await (await send('PUT', key, bytes, contentType)).arrayBuffer();
    },
    get: async (key) => Buffer.from(await (await send('GET', key)).arrayBuffer()),
  };
}
