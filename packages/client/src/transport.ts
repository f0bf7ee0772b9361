import type { EndpointSource } from './endpoint.ts';
import { ApiError, problemOf, UnreachableError } from './errors.ts';

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface Call {
  query?: Query;
  headers?: Record<string, string>;
  body?: NonNullable<RequestInit['body']>;
  signal?: AbortSignal;
}

/** Sends one request with the token. Throws `ApiError` for a problem, `UnreachableError` where nobody answers. */
export async function send(source: EndpointSource, method: string, path: string, call: Call = {}): Promise<Response> {
  const { url, token } = source.current;
  const address = `${url}${path}${queryText(call.query)}`;
  let response: Response;
  try {
    response = await fetch(address, {
      method,
      headers: { authorization: `Bearer ${token}`, ...call.headers },
      body: call.body ?? null,
      signal: call.signal ?? null,
      redirect: 'error',
    });
  } catch (error) {
    if (call.signal?.aborted) throw error;
    throw new UnreachableError(url, error);
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  return response;
}

function queryText(query: Query = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) given.set(name, String(value));
  }
  return given.size === 0 ? '' : `?${given.toString()}`;
}

/** Longest line of a stream: a status of a very large workload stays far below. */
const longestLine = 64 * 1024 * 1024;

/** The JSON values of an NDJSON answer, one a line, as they come. Leaving the loop ends the request. */
export async function* readLines(response: Response): AsyncGenerator<unknown, void, void> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (pending + value).split('\n');
      pending = lines.pop() ?? '';
      if (pending.length > longestLine) throw new Error('line too long');
      for (const line of lines) if (line !== '') yield JSON.parse(line);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
