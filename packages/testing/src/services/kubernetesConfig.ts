import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { yamlValues } from '@ebb/documents';

/** What a client needs to be let in: PEM texts, or a bearer token. */
export interface Credentials {
  readonly url: string;
  readonly ca: string | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly token?: string | undefined;
}

/** Writes a kubeconfig with everything in it, readable for this user alone. (JSON is YAML too.) */
export function writeKubeconfig(path: string, user: string, credentials: Credentials): void {
  const { url, ca, clientCertificate, clientKey, token } = credentials;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'ebb-test',
    contexts: [{ name: 'ebb-test', context: { cluster: 'ebb-test', user } }],
    clusters: [
      { name: 'ebb-test', cluster: { server: url, ...(ca ? { 'certificate-authority-data': base64(ca) } : {}) } },
    ],
    users: [
      {
        name: user,
        user: {
          ...(clientCertificate ? { 'client-certificate-data': base64(clientCertificate) } : {}),
          ...(clientKey ? { 'client-key-data': base64(clientKey) } : {}),
          ...(token ? { token } : {}),
        },
      },
    ],
  };
  writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
}

/**
 * The credentials of a kubeconfig's current context: certificates or a token, as k3d and kind write them. Throws an error
 * that names what is missing.
 */
export function readKubeconfig(path: string): Credentials {
  const [config] = yamlValues(readFileSync(path, 'utf8'));
  const current = text(config, 'current-context');
  if (current === undefined) throw new Error(`${path} has no current-context`);
  const context = entry(path, config, 'context', current);
  const cluster = entry(path, config, 'cluster', text(context, 'cluster') ?? '');
  const user = entry(path, config, 'user', text(context, 'user') ?? '');
  const url = text(cluster, 'server');
  if (url === undefined) throw new Error(`${path}: the cluster "${text(context, 'cluster')}" has no server`);
  const pem = (holder: unknown, field: string) => {
    const data = text(holder, `${field}-data`);
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    const file = text(holder, field);
    return file === undefined ? undefined : readFileSync(resolve(dirname(path), file), 'utf8');
  };
  return {
    url,
    ca: pem(cluster, 'certificate-authority'),
    clientCertificate: pem(user, 'client-certificate'),
    clientKey: pem(user, 'client-key'),
    token: text(user, 'token'),
  };
}

/** The value of a named entry of one of the three lists. */
function entry(path: string, config: unknown, kind: 'context' | 'cluster' | 'user', name: string): unknown {
  const list = field(config, `${kind}s`);
  const found = Array.isArray(list) ? list.find((item) => field(item, 'name') === name) : undefined;
  if (found === undefined) throw new Error(`${path} has no ${kind} "${name}"`);
  return field(found, kind);
}

function text(holder: unknown, name: string): string | undefined {
  const value = field(holder, name);
  return typeof value === 'string' ? value : undefined;
}

function field(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[name] : undefined;
}
