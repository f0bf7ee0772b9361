import type { SystemStatus, WatchEvent } from '@ebb/documents';

const tokenName = 'ebb-token';

/**
 * The owner's token: from the address's fragment (which never leaves the browser), else from this tab's storage.
 * The fragment is removed from the address bar at once.
 */
export function readToken(): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    keepToken(given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem(tokenName);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(tokenName, token.trim());
}

export class RequestFailed extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A request to the control plane with the token; throws `RequestFailed` with the reason the server gave. */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${sessionStorage.getItem(tokenName) ?? ''}`);
  const response = await fetch(path, { ...init, headers });
  if (!response.ok) {
    const text = await response.text();
    throw new RequestFailed(response.status, problemDetail(text) ?? `${response.status} ${response.statusText}`);
  }
  return response;
}

function problemDetail(text: string): string | null {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem !== 'object' || problem === null) return null;
    const { detail, title } = problem as { detail?: unknown; title?: unknown };
    return typeof detail === 'string' ? detail : typeof title === 'string' ? title : null;
  } catch {
    return null;
  }
}

export async function readStatus(): Promise<SystemStatus> {
  return (await (await call('/api/v1/status')).json()) as SystemStatus;
}

/** Annotations of every workload, by `namespace/name`. */
export async function readAnnotations(namespaces: string[]): Promise<Map<string, Record<string, string>>> {
  const found = new Map<string, Record<string, string>>();
  for (const namespace of namespaces) {
    const response = await call(`/api/v1/namespaces/${encodeURIComponent(namespace)}/workloads`);
    const list = (await response.json()) as {
      items: { metadata: { name: string; annotations?: Record<string, string> } }[];
    };
    for (const { metadata } of list.items) found.set(`${namespace}/${metadata.name}`, metadata.annotations ?? {});
  }
  return found;
}

/** Watch events, one after another, from the sequence on; ends when the connection does. */
export async function* watch(
  since: number | null,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent | { type: 'heartbeat' }> {
  const path = since === null ? '/api/v1/watch' : `/api/v1/watch?since=${since}`;
  const response = await call(path, { headers: { accept: 'application/x-ndjson' }, signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let pending = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (pending + value).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) yield JSON.parse(line) as WatchEvent;
  }
}
