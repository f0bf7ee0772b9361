import { SourceError } from '../contract/errors.ts';
import { checkStatus, type HttpAnswer, place } from '../runtime/http.ts';
import { cacheKey } from './cacheKey.ts';
import type { Resolution, VaultSecret, VaultSpec } from './authentication.ts';
import { fileError } from './valuesFile.ts';

const mountedToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** How soon a changed value is noticed. */
const keepStoredMs = 60_000;
/** Each read of a leased secret or certificate makes a new one, so it is kept for most of its life; never longer than this. */
const keepLeasedMs = 86_400_000;
const keptShare = 2 / 3;

type Data = Readonly<Record<string, unknown>>;

/** Values of a HashiCorp Vault by parameter, through its HTTP API (`/v1`). */
export async function readVaultSecrets(vault: VaultSpec, resolution: Resolution): Promise<Map<string, string>> {
  if (!/^https?:\/\//.test(vault.address) || !URL.canParse(vault.address)) {
    const message = `${resolution.title}: hashiCorpVault.address must be an http or https address, found "${place(vault.address)}"`;
    throw new SourceError('bad-setting', message);
  }
  const token = await signIn(vault, resolution);
  const values = new Map<string, string>();
  for (const secret of vault.secrets) {
    const data = await read(vault, token, secret, resolution);
    values.set(secret.parameter, valueOf(secret, data, resolution.title));
  }
  return values;
}

async function signIn(vault: VaultSpec, resolution: Resolution): Promise<string> {
  const { lookups, title, signal } = resolution;
  if (vault.authentication === 'token') {
    const token = lookups.ownEnv('VAULT_TOKEN') || vault.credential?.token;
    if (token) return token;
    throw new SourceError(
      'bad-setting',
      `${title}: hashiCorpVault.credential.token is missing, and VAULT_TOKEN is not set`,
    );
  }
  const { mount, role } = vault;
  if (!mount || !role) {
    const missing = mount ? 'role' : 'mount';
    throw new SourceError(
      'bad-setting',
      `${title}: hashiCorpVault.${missing} is missing; authentication kubernetes needs it`,
    );
  }
  const jwt = await serviceAccountToken(vault, resolution);
  const key = cacheKey('vault sign-in', vault.address, vault.namespace, mount, role, jwt);
  return lookups.cache.get(key, signal, async (signal) => {
    const url = urlOf(vault, `auth/${mount}/login`);
    const body = JSON.stringify({ jwt, role });
    const answer = await lookups.http.request({ url, method: 'POST', headers: headers(vault), body, signal });
    // A role that does not exist is a bad request for Vault.
    if (answer.status === 400)
      throw new SourceError('unauthorized', `${title}: ${place(url)} refused role ${role} (400)`);
    const { auth } = body200(answer, url, title);
    const { client_token: token, lease_duration: leaseSeconds } = isData(auth) ? auth : {};
    if (typeof token !== 'string') throw new SourceError('bad-answer', `${title}: ${place(url)} gave no token`);
    return { value: token, keepMs: keepMsOf(leaseSeconds) };
  });
}

async function serviceAccountToken({ credential }: VaultSpec, { lookups, title }: Resolution): Promise<string> {
  const name = credential?.serviceAccountName;
  if (name) {
    const token = await lookups.serviceAccountToken(name);
    if (token !== null) return token.trim();
    const message = `${title}: hashiCorpVault: no token file is configured for the service account ${name}`;
    throw new SourceError('unsupported', message);
  }
  const path = credential?.serviceAccount || mountedToken;
  try {
    return (await lookups.readFile(path)).trim();
  } catch (error) {
    throw fileError(error, `the service account's token ${path}`, title);
  }
}

function read(
  vault: VaultSpec,
  token: string,
  secret: VaultSecret,
  { lookups, title, signal }: Resolution,
): Promise<Data> {
  const isPki = secret.type === 'pki';
  const body = isPki ? JSON.stringify(secret.pkiData ?? {}) : undefined;
  const url = urlOf(vault, secret.path);
  const key = cacheKey('vault', url, vault.namespace, token, body);
  return lookups.cache.get(key, signal, async (signal) => {
    const answer = await lookups.http.request({
      url,
      method: isPki ? 'POST' : 'GET',
      headers: { ...headers(vault), 'x-vault-token': token },
      ...(body === undefined ? {} : { body }),
      signal,
    });
    const { data, lease_id: leaseId, lease_duration: leaseSeconds } = body200(answer, url, title);
    if (!isData(data)) throw new SourceError('bad-answer', `${title}: ${place(url)} gave no data`);
    if (isPki) return { value: data, keepMs: keepMsOf(Number(data.expiration) - lookups.wallNowMs() / 1000) };
    return { value: data, keepMs: leaseId ? keepMsOf(leaseSeconds) : keepStoredMs };
  });
}

/** Most of a lease in ms; what names no length is kept as briefly as a stored value. */
function keepMsOf(seconds: unknown): number {
  if (typeof seconds !== 'number' || !(seconds > 0)) return keepStoredMs;
  return Math.min(seconds * 1000 * keptShare, keepLeasedMs);
}

function valueOf({ path, key, type }: VaultSecret, data: Data, title: string): string {
  const isVersioned = type === 'secretV2' || (!type && isData(data.data));
  const values = isVersioned ? data.data : data;
  if (!isData(values)) {
    const message = `${title}: ${path} in the vault is no secret of version 2 (its path has data/ after the mount)`;
    throw new SourceError('bad-answer', message);
  }
  const value = Object.hasOwn(values, key) ? values[key] : undefined;
  if (typeof value === 'string') return value;
  if (key === 'ca_chain' && Array.isArray(value)) return value.join('\n');
  if (value === undefined || value === null) {
    const keys = Object.keys(values).slice(0, 10).join(', ') || 'none';
    throw new SourceError('not-found', `${title}: ${path} in the vault has no key ${key} (it has ${keys})`);
  }
  throw new SourceError('bad-answer', `${title}: ${key} of ${path} in the vault is not text`);
}

function headers({ namespace }: VaultSpec): Record<string, string> {
  return {
    'x-vault-request': 'true',
    'content-type': 'application/json',
    ...(namespace ? { 'x-vault-namespace': namespace } : {}),
  };
}

function urlOf({ address }: VaultSpec, path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new SourceError('bad-setting', `a path in the vault has no . or .., found "${path}"`);
  }
  return `${address.replace(/\/+$/, '')}/v1/${segments.map(encodeURIComponent).join('/')}`;
}

function body200(answer: HttpAnswer, url: string, title: string): Data {
  try {
    checkStatus(answer, url);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    throw new SourceError(error.code, `${title}: hashiCorpVault: ${error.message}`);
  }
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    body = null;
  }
  // The answer holds secrets: none of it is shown.
  if (!isData(body)) throw new SourceError('bad-answer', `${title}: ${place(url)}: the answer is not a JSON object`);
  return body;
}

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
