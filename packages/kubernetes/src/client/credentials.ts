import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { ClusterAccess } from './kubeConfigFiles.ts';
import { type JsonObject, listAt, textAt } from './values.ts';

/** What is in a file is read anew after this: a service account's token is replaced long before it ends. */
const freshMs = 10_000;

/** Ways in that are others' programs and protocols. */
const foreign = { cluster: ['proxy-url'], user: ['exec', 'auth-provider'] };

/** Whether certificates, tokens and passwords are all that it takes. */
export function isPlainAccess({ cluster, user }: ClusterAccess): boolean {
  return !foreign.cluster.some((name) => cluster[name]) && !foreign.user.some((name) => user[name]);
}

/**
 * Signs requests in by the certificates, the token or the password of a kubeconfig. Files are read anew as they are replaced;
 * one that cannot be read any more counts as it was. Throws an error that names the file where it never could be read, and
 * where something secret would go over plain HTTP unasked.
 */
export function plainCredentials(
  { server, cluster, user }: ClusterAccess,
  nowMs: () => number = () => performance.now(),
): (options: RequestOptions) => Promise<void> {
  const isInsecure = cluster['insecure-skip-tls-verify'] === true;
  if (server.startsWith('http:') && !isInsecure) {
    throw new Error(`${server} is without TLS, which is taken only with insecure-skip-tls-verify: true`);
  }
  const ca = dataOrFile(cluster, 'certificate-authority', nowMs);
  const cert = dataOrFile(user, 'client-certificate', nowMs);
  const key = dataOrFile(user, 'client-key', nowMs);
  const token = tokenOf(user, nowMs);
  const serverName = textAt(cluster, 'tls-server-name');
  const [username, password] = [textAt(user, 'username'), textAt(user, 'password')];
  const impersonated = impersonation(user);
  return async (options) => {
    const headers: Record<string, string | string[]> = { ...impersonated };
    const bearer = await token?.();
    if (bearer) headers.authorization = `Bearer ${bearer}`;
    else if (username) options.auth = `${username}:${password ?? ''}`;
    options.headers = { ...options.headers, ...headers };
    if (isInsecure) options.rejectUnauthorized = false;
    if (serverName) options.servername = serverName;
    if (ca) options.ca = await ca();
    if (cert) options.cert = await cert();
    if (key) options.key = await key();
  };
}

type Read = () => Promise<string>;

/** What is written in the kubeconfig goes before the file that it names. */
function dataOrFile(holder: JsonObject, name: string, nowMs: () => number): Read | null {
  const data = textAt(holder, `${name}-data`);
  if (data) {
    const text = Buffer.from(data, 'base64').toString('utf8');
    return () => Promise.resolve(text);
  }
  const path = textAt(holder, name);
  return path ? fileText(path, nowMs) : null;
}

/** The file goes before the token that is written there, which it replaces. */
function tokenOf(user: JsonObject, nowMs: () => number): Read | null {
  const path = textAt(user, 'tokenFile');
  if (path) return fileText(path, nowMs);
  const token = textAt(user, 'token');
  return token ? () => Promise.resolve(token) : null;
}

function fileText(path: string, nowMs: () => number): Read {
  let known: { text: string; readAtMs: number } | null = null;
  let reading: Promise<string> | null = null;
  const read = async () => {
    try {
      const text = (await readFile(path, 'utf8')).trim();
      known = { text, readAtMs: nowMs() };
      return text;
    } catch (error) {
      if (!known) throw error;
      known = { ...known, readAtMs: nowMs() };
      return known.text;
    } finally {
      reading = null;
    }
  };
  return () => {
    if (known && nowMs() - known.readAtMs < freshMs) return Promise.resolve(known.text);
    reading ??= read();
    return reading;
  };
}

function impersonation(user: JsonObject): Record<string, string | string[]> {
  const as = textAt(user, 'as');
  if (!as) return {};
  const groups = listAt(user, 'as-groups').filter((one) => typeof one === 'string');
  const uid = textAt(user, 'as-uid');
  return {
    'impersonate-user': as,
    ...(groups.length > 0 ? { 'impersonate-group': groups } : {}),
    ...(uid ? { 'impersonate-uid': uid } : {}),
  };
}
