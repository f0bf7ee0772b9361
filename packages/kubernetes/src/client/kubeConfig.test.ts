import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isPlainAccess, plainCredentials } from './credentials.ts';
import { readAccess } from './kubeConfigFiles.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-kubeconfig-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const server = 'https://one.example:6443';
const base64 = (text: string) => Buffer.from(text).toString('base64');

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function config(name: string, cluster: object, user: object, namespace?: string) {
  return {
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    clusters: [{ name, cluster: { server, ...cluster } }],
    users: [{ name, user }],
  };
}

const read = (env: Record<string, string>, path: string | null = null, context: string | null = null) =>
  readAccess({ path, context }, { env, serviceAccount: join(folder, 'account') });

async function signedIn(cluster: object, user: object, nowMs?: () => number): Promise<RequestOptions> {
  const options: RequestOptions = { headers: { accept: 'application/json' } };
  await plainCredentials({ server, namespace: null, cluster: { ...cluster }, user: { ...user } }, nowMs)(options);
  return options;
}

it('signs in by data, by files, by a token and by a password', async () => {
  const ca = write('ca.crt', 'CA');
  expect(await signedIn({ 'certificate-authority': ca }, { token: 'abc' })).toMatchObject({
    ca: 'CA',
    headers: { accept: 'application/json', authorization: 'Bearer abc' },
  });
  const data = { 'certificate-authority': '/nowhere', 'certificate-authority-data': base64('DATA') };
  const user = { 'client-certificate-data': base64('CERT'), 'client-key': write('key', 'KEY') };
  expect(await signedIn(data, user)).toMatchObject({ ca: 'DATA', cert: 'CERT', key: 'KEY' });
  const insecure = { 'insecure-skip-tls-verify': true, 'tls-server-name': 'other.example' };
  expect(await signedIn(insecure, { username: 'me', password: 'p' })).toMatchObject({
    rejectUnauthorized: false,
    servername: 'other.example',
    auth: 'me:p',
  });
  const as = { token: 'abc', as: 'jane', 'as-groups': ['ops', 'dev'] };
  expect((await signedIn({}, as)).headers).toMatchObject({
    'impersonate-user': 'jane',
    'impersonate-group': ['ops', 'dev'],
  });
  expect((await signedIn({}, { token: 'abc' })).rejectUnauthorized).toBeUndefined();
});

it('reads a token anew as it is replaced, and goes on with the last one where the file has gone', async () => {
  const tokenFile = write('token', 'first\n');
  let nowMs = 0;
  const sign = plainCredentials(
    { server, namespace: null, cluster: {}, user: { tokenFile, token: 'old' } },
    () => nowMs,
  );
  const bearer = async () => {
    const options: RequestOptions = {};
    await sign(options);
    return options.headers;
  };
  expect(await bearer()).toEqual({ authorization: 'Bearer first' });
  write('token', 'second');
  expect(await bearer()).toEqual({ authorization: 'Bearer first' });
  nowMs = 10_000;
  expect(await bearer()).toEqual({ authorization: 'Bearer second' });
  rmSync(tokenFile);
  nowMs = 20_000;
  expect(await bearer()).toEqual({ authorization: 'Bearer second' });
  await expect(signedIn({}, { tokenFile })).rejects.toThrow(tokenFile);
});

it('sends nothing without TLS unasked', () => {
  const access = { server: 'http://one.example', namespace: null, cluster: {}, user: {} };
  expect(() => plainCredentials(access)).toThrow('http://one.example is without TLS');
  expect(() => plainCredentials({ ...access, cluster: { 'insecure-skip-tls-verify': true } })).not.toThrow();
});

it('takes relative paths from the folder of the file that has them, and knows what others must do', () => {
  const path = write(
    'a/config',
    config('one', { 'certificate-authority': 'ca.crt' }, { tokenFile: '../token' }, 'shop'),
  );
  const access = read({}, path);
  expect(access).toMatchObject({ server, namespace: 'shop' });
  expect(access.cluster['certificate-authority']).toBe(join(folder, 'a', 'ca.crt'));
  expect(access.user.tokenFile).toBe(join(folder, 'token'));
  expect(isPlainAccess(access)).toBe(true);
  for (const user of [{ exec: { command: 'aws' } }, { 'auth-provider': { name: 'oidc' } }]) {
    expect(isPlainAccess(read({}, write('b', config('one', {}, user))))).toBe(false);
  }
  expect(isPlainAccess(read({}, write('c', config('one', { 'proxy-url': 'http://p' }, {}))))).toBe(false);
});

it('merges the files of KUBECONFIG, of which the first to say something counts', () => {
  const first = write('first', { ...config('one', {}, { token: 'a' }), 'current-context': '' });
  const second = write('second', config('two', { server: 'https://two.example' }, { token: 'b' }));
  const third = write('third', config('one', { server: 'https://late.example' }, { token: 'late' }));
  const KUBECONFIG = [join(folder, 'missing'), first, second, third].join(delimiter);
  expect(read({ KUBECONFIG })).toMatchObject({ server: 'https://two.example', user: { token: 'b' } });
  expect(read({ KUBECONFIG }, null, 'one')).toMatchObject({ server, user: { token: 'a' } });
  expect(() => read({ KUBECONFIG }, null, 'three')).toThrow('there is no context "three"');
  expect(() => read({ KUBECONFIG }, null, 'three')).toThrow('there are one, two');
  expect(() => read({ KUBECONFIG: join(folder, 'missing') })).toThrow('there is no kubeconfig at');
});

it('names what a kubeconfig lacks', () => {
  const good = config('one', {}, {});
  expect(() => read({}, write('x', { ...good, 'current-context': undefined }))).toThrow('current-context');
  expect(() => read({}, write('x', { ...good, clusters: [] }))).toThrow('there is no cluster "one"');
  expect(() => read({}, write('x', { ...good, users: [] }))).toThrow('there is no user "one"');
  expect(() => read({}, write('x', { ...good, clusters: [{ name: 'one', cluster: {} }] }))).toThrow('has no server');
  expect(() => read({}, write('x', 'a: [')).server).toThrow('x is no kubeconfig');
  expect(() => read({}, write('x', 'text')).server).toThrow('it is not one YAML object');
});

it('finds ~/.kube/config, then the service account of the pod', () => {
  expect(() => read({ HOME: folder })).toThrow('there is no cluster');
  write('account/token', 'abc');
  write('account/namespace', 'ebb-system\n');
  const env = { HOME: folder, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  expect(read(env)).toEqual({
    server: 'https://[fd00::1]:443',
    namespace: 'ebb-system',
    cluster: { 'certificate-authority': join(folder, 'account', 'ca.crt') },
    user: { tokenFile: join(folder, 'account', 'token') },
  });
  write('.kube/config', config('one', {}, { token: 'a' }));
  expect(read(env)).toMatchObject({ server });
});
