import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NotRunningError } from './errors.ts';
import type { ControlFile } from './types.ts';

export interface Endpoint {
  url: string;
  token: string;
}

/** Where the control plane is and what opens it. Asked again at each reconnection, because it may come back elsewhere. */
export interface EndpointSource {
  current: Endpoint;
  refresh(): Promise<Endpoint>;
}

export function fixedEndpoint(url: string, token: string): EndpointSource {
  const current = { url: url.replace(/\/+$/, ''), token };
  return { current, refresh: async () => current };
}

/** Reads `control.json` and `token` of a data directory. Throws `NotRunningError` where there is no control plane. */
export async function endpointOf(dataDirectory: string): Promise<EndpointSource> {
  const read = async (): Promise<Endpoint> => {
    const control = await readControlFile(dataDirectory);
    if (!control) throw new NotRunningError(dataDirectory, 'stopped');
    if (!isRunning(control.pid)) throw new NotRunningError(dataDirectory, 'crashed');
    return { url: control.apiUrl, token: (await readFile(join(dataDirectory, 'token'), 'utf8')).trim() };
  };
  const source: EndpointSource = {
    current: await read(),
    async refresh() {
      source.current = await read();
      return source.current;
    },
  };
  return source;
}

/** `DATA/control.json`, or null where there is none that can be read. */
export async function readControlFile(dataDirectory: string): Promise<ControlFile | null> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dataDirectory, 'control.json'), 'utf8'));
    return isControlFile(value) ? value : null;
  } catch {
    return null;
  }
}

function isControlFile(value: unknown): value is ControlFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    Number.isSafeInteger(value.pid) &&
    value.pid > 0 &&
    'apiUrl' in value &&
    typeof value.apiUrl === 'string' &&
    'gatewayUrl' in value &&
    typeof value.gatewayUrl === 'string'
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
