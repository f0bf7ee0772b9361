import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TlsFiles, tlsFiles } from '../../../testing/src/services/index.ts';
import { readSettings } from '../contract/readSettings.ts';
import { testContext } from '../contract/sourceConformance.fixture.ts';
import { readFileSync } from 'node:fs';
import { authParameters, checkAuthModes } from './authModes.ts';
import { openAuthorisedHttp } from './authorisedHttp.ts';

interface Heard {
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A real server that keeps what it heard. */
class Listener {
  readonly heard: Heard[] = [];
  readonly server: Server;
  answer: (heard: Heard) => { status?: number; headers?: Record<string, string>; body?: string } = () => ({});

  constructor(
    make: (
      handler: (request: IncomingMessage, response: import('node:http').ServerResponse) => void,
    ) => Server = createServer,
  ) {
    this.server = make((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        const heard = { url: request.url ?? '', headers: request.headers, body };
        this.heard.push(heard);
        const { status = 200, headers = {}, body: said = 'ok' } = this.answer(heard);
        response.writeHead(status, headers).end(said);
      });
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

function settingsOf(metadata: Record<string, string>, auth: Record<string, string>) {
  const { settings, problems } = readSettings(authParameters, { metadata, auth, env: {} });
  expect(problems).toEqual([]);
  return settings;
}

describe('authentication modes', () => {
  let plain: Listener;
  let other: Listener;
  let tokens: Listener;
  beforeAll(async () => {
    [plain, other, tokens] = [new Listener(), new Listener(), new Listener()];
    await Promise.all([plain.listen(), other.listen(), tokens.listen()]);
  });
  afterAll(() => Promise.all([plain, other, tokens].map((listener) => listener.close())));

  async function get(
    metadata: Record<string, string>,
    auth: Record<string, string>,
    {
      url = `http://${plain.address}/x?y=1`,
      headers = {},
      times = 1,
      unsafeSsl = false,
      nowMs = () => 0,
    }: {
      url?: string;
      headers?: Record<string, string>;
      times?: number;
      unsafeSsl?: boolean;
      nowMs?: () => number;
    } = {},
  ) {
    const context = testContext({ nowMs });
    const http = openAuthorisedHttp(context, settingsOf(metadata, auth), unsafeSsl);
    try {
      let answer = await http.get(url, AbortSignal.timeout(3000), headers);
      for (let time = 1; time < times; time++) answer = await http.get(url, AbortSignal.timeout(3000), headers);
      return answer;
    } finally {
      await http.close();
      expect(context.connections.size).toBe(0);
    }
  }
  const last = () => plain.heard.at(-1);
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

  it.each<[string, Record<string, string>, Record<string, string>, Record<string, string>]>([
    ['none', {}, { username: 'u', password: 'p' }, {}],
    ['basic', { authModes: 'basic' }, { username: 'u', password: 'p:ö' }, { authorization: basic('u:p:ö') }],
    ['basic without a password', { authMode: 'basic' }, { username: 'u' }, { authorization: basic('u:') }],
    ['bearer', { authModes: 'bearer' }, { bearerToken: 'abc\n' }, { authorization: 'Bearer abc' }],
    ['bearer by its other name', {}, { authMode: 'bearer', token: 'abc' }, { authorization: 'Bearer abc' }],
    ['custom', { authModes: 'custom' }, { customAuthHeader: 'X-Key', customAuthValue: 'v' }, { 'x-key': 'v' }],
    ['apiKey', { authMode: 'apiKey' }, { apiKey: 'k' }, { 'x-api-key': 'k' }],
    ['apiKey under a name', { authMode: 'apiKey', keyParamName: 'X-Mine' }, { apiKey: 'k' }, { 'x-mine': 'k' }],
    [
      'two',
      { authModes: 'custom, bearer' },
      { bearerToken: 'b', customAuthHeader: 'X-Key', customAuthValue: 'v' },
      { 'x-key': 'v', authorization: 'Bearer b' },
    ],
  ])('sends %s', async (_name, metadata, auth, expected) => {
    await get(metadata, auth, { headers: { 'X-Given': '1', Authorization: 'given' } });
    const { authorization = 'given', ...rest } = expected;
    expect(last()?.headers).toMatchObject({ 'x-given': '1', authorization, ...rest });
    expect(last()?.url).toBe('/x?y=1');
  });

  it('sends the key of mode apiKey in the query', async () => {
    await get({ authMode: 'apiKey', method: 'query' }, { apiKey: 'k&ö' });
    expect(last()?.url).toBe('/x?y=1&api_key=k%26%C3%B6');
    await get({ authMode: 'apiKey' }, { method: 'query', keyParamName: 'key', apiKey: 'k' });
    expect(last()?.url).toBe('/x?y=1&key=k');
  });

  it('sends user and password of the address', async () => {
    await get({}, {}, { url: `http://u:p%40@${plain.address}/` });
    expect(last()?.headers.authorization).toBe(basic('u:p@'));
  });

  it('follows redirections and tells another host nothing', async () => {
    const auth = { bearerToken: 'abc' };
    plain.answer = ({ url }) => (url === '/from' ? { status: 302, headers: { location: '/to' } } : {});
    await get({ authModes: 'bearer' }, auth, { url: `http://${plain.address}/from` });
    expect(last()).toMatchObject({ url: '/to', headers: { authorization: 'Bearer abc' } });
    const elsewhere = other.address.replace('127.0.0.1', 'localhost');
    plain.answer = () => ({ status: 307, headers: { location: `http://${elsewhere}/there` } });
    await get({ authModes: 'bearer' }, auth, { headers: { 'X-Scope': 'a' } });
    expect(other.heard.at(-1)?.url).toBe('/there');
    expect(other.heard.at(-1)?.headers).not.toHaveProperty('authorization');
    expect(other.heard.at(-1)?.headers).not.toHaveProperty('x-scope');
    plain.answer = () => ({ status: 301, headers: { location: '/again' } });
    await expect(get({}, {})).rejects.toMatchObject({
      code: 'bad-answer',
      message: expect.stringContaining('more than 10'),
    });
    plain.answer = () => ({});
  });

  const oauth = () => ({
    oauthTokenURI: `http://${tokens.address}/token`,
    clientID: 'me',
    clientSecret: 's3cret:%',
    scopes: 'a, b',
    endpointParams: 'audience=x%20y',
  });

  it('fetches a token once and keeps it until shortly before it expires', async () => {
    tokens.heard.length = 0;
    let issued = 0;
    tokens.answer = () => ({ body: JSON.stringify({ access_token: `t${++issued}`, expires_in: 100 }) });
    let atMs = 0;
    const nowMs = () => atMs;
    await get({ authModes: 'oauth' }, oauth(), { times: 3, nowMs });
    expect(last()?.headers.authorization).toBe('Bearer t1');
    expect(tokens.heard).toHaveLength(1);
    expect(tokens.heard[0]?.headers.authorization).toBe(basic('me:s3cret%3A%25'));
    expect(Object.fromEntries(new URLSearchParams(tokens.heard[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      audience: 'x y',
      scope: 'a b',
    });

    const context = testContext({ nowMs });
    const http = openAuthorisedHttp(context, settingsOf({ authModes: 'oauth' }, oauth()), false);
    const shared = openAuthorisedHttp(context, settingsOf({ authModes: 'oauth' }, oauth()), false);
    const ask = (one = http) => one.get(`http://${plain.address}/`, AbortSignal.timeout(3000));
    await Promise.all([ask(), ask(), ask(shared)]);
    expect(issued).toBe(2);
    atMs = 89_999;
    await ask();
    expect(issued).toBe(2);
    atMs = 90_000;
    await ask(shared);
    expect(issued).toBe(3);
    await http.close();
    await shared.close();
    expect(context.connections.size).toBe(0);
  });

  it('fetches another token when one is refused, once', async () => {
    let issued = 0;
    tokens.answer = () => ({ body: JSON.stringify({ access_token: `t${++issued}` }) });
    plain.answer = ({ headers }) => ({ status: headers.authorization === 'Bearer t2' ? 200 : 401 });
    expect((await get({ authModes: 'oauth' }, oauth())).status).toBe(200);
    expect(issued).toBe(2);
    plain.answer = () => ({ status: 401 });
    expect((await get({ authModes: 'oauth' }, oauth())).status).toBe(401);
    expect(issued).toBe(4);
    plain.answer = () => ({});
  });

  it('puts the client into the body where the server wants it there', async () => {
    tokens.heard.length = 0;
    tokens.answer = ({ headers, body }) =>
      headers.authorization
        ? { status: 401, body: '{"error":"invalid_client"}' }
        : { body: JSON.stringify({ access_token: body.includes('client_id=me') ? 'good' : 'bad' }) };
    await get({ authModes: 'oauth' }, oauth());
    expect(last()?.headers.authorization).toBe('Bearer good');
    expect(tokens.heard.at(-1)?.body).toContain('client_secret=s3cret%3A%25');
  });

  it('says why there is no token, and never the secret or the answer that may hold one', async () => {
    tokens.answer = () => ({ status: 400, body: '{"error":"invalid_scope","error_description":"no such scope"}' });
    const refused: unknown = await get({ authModes: 'oauth' }, oauth()).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('invalid_scope: no such scope'),
    });
    expect(String(refused)).not.toContain('s3cret');
    tokens.answer = () => ({ body: '{"id_token":"hidden"}' });
    const odd: unknown = await get({ authModes: 'oauth' }, oauth()).catch((error: unknown) => error);
    expect(odd).toMatchObject({ code: 'bad-answer' });
    expect(String(odd)).not.toContain('hidden');
  });

  it('says what is missing or does not go together', () => {
    const problems = (metadata: Record<string, string>, auth: Record<string, string> | null) =>
      checkAuthModes(readSettings(authParameters, { metadata, auth, env: null }).settings, { metadata, auth }).map(
        ({ message }) => message,
      );
    expect(problems({ authModes: 'bearer,basic' }, null)).toEqual([
      expect.stringContaining('only one of bearer, basic, oauth'),
    ]);
    expect(problems({ authModes: 'bearer' }, null)).toEqual([]);
    expect(problems({ authModes: 'bearer' }, {})).toEqual([expect.stringContaining('bearerToken')]);
    expect(problems({ authModes: 'tls' }, { cert: 'x' })).toEqual([expect.stringContaining('key')]);
    expect(problems({ authModes: 'oauth' }, { clientID: 'x' })).toEqual([expect.stringContaining('oauthTokenURI')]);
    expect(problems({ authModes: 'custom,apiKey' }, {})).toHaveLength(3);
    const { problems: unknown } = readSettings(authParameters, {
      metadata: { authModes: 'digest' },
      auth: {},
      env: {},
    });
    expect(unknown).toEqual([
      expect.objectContaining({ parameter: 'authModes', message: expect.stringContaining('one or more of apiKey') }),
    ]);
  });

  describe('with TLS', () => {
    let files: TlsFiles;
    let secure: Listener;
    beforeAll(async () => {
      files = await tlsFiles();
      const options = {
        key: readFileSync(files.serverKey),
        cert: readFileSync(files.serverCert),
        ca: files.pem.caCert,
        requestCert: true,
        rejectUnauthorized: false,
      };
      secure = new Listener((handler) =>
        createTlsServer(options, (request, response) => {
          const socket = request.socket as import('node:tls').TLSSocket;
          response.setHeader(
            'x-client',
            socket.authorized ? String(socket.getPeerCertificate().subject?.CN) : 'nobody',
          );
          handler(request, response);
        }),
      );
      await secure.listen();
    });
    afterAll(() => secure?.close());

    it('trusts the authority that is named, and nobody else unless told to', async () => {
      const url = `https://${secure.address}/`;
      expect((await get({}, { ca: files.pem.caCert }, { url })).status).toBe(200);
      expect((await get({}, {}, { url, unsafeSsl: true })).status).toBe(200);
      await expect(get({}, {}, { url })).rejects.toMatchObject({ code: 'unreachable' });
    });

    it('shows its certificate in mode tls only', async () => {
      const url = `https://${secure.address}/`;
      const auth = { ca: files.pem.caCert, cert: files.pem.clientCert, key: files.pem.clientKey };
      expect((await get({ authModes: 'tls' }, auth, { url })).headers['x-client']).toBe('ebb');
      expect((await get({}, auth, { url })).headers['x-client']).toBe('nobody');
    });
  });
});
