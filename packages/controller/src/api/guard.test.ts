import { VirtualSystem } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import { apiSystem, documentText, json, token } from './apiSystem.fixture.ts';

const everywhere = [
  ['GET', '/api/v1/status'],
  ['GET', '/api/v1/watch'],
  ['GET', '/api/v1/journal'],
  ['GET', '/api/v1/openapi.json'],
  ['GET', '/api/v1/namespaces/default/workloads'],
  ['GET', '/api/v1/namespaces/default/workloads/a'],
  ['GET', '/api/v1/namespaces/default/workloads/a/logs'],
  ['GET', '/api/v1/namespaces/default/workloads/a/proxy/x'],
  ['PUT', '/api/v1/namespaces/default/workloads/a'],
  ['DELETE', '/api/v1/namespaces/default/workloads/a'],
  ['POST', '/api/v1/apply'],
  ['POST', '/api/v1/shutdown'],
  ['GET', '/metrics'],
  ['GET', '/nothing/here'],
] as const;

describe('who may ask', () => {
  it('needs the token everywhere but for the page and the health checks', async () => {
    const { app, shutdowns } = await apiSystem(new VirtualSystem());
    for (const [method, url] of everywhere) {
      for (const authorization of [undefined, 'Bearer ', `Bearer ${token}x`, `Basic ${token}`, token]) {
        const headers = { host: '127.0.0.1:7070', ...(authorization === undefined ? {} : { authorization }) };
        const answer = await app.inject({ method, url, headers });
        expect([url, answer.statusCode, answer.json().code]).toEqual([url, 401, 'unauthorized']);
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
        expect(answer.body).not.toContain(token);
      }
    }
    expect(shutdowns).toEqual([]);
    for (const url of ['/', '/healthz', '/livez']) {
      expect((await app.inject({ url, headers: { host: 'localhost' } })).statusCode).toBe(200);
    }
  });

  it('opens the metrics where that was asked for', async () => {
    const { app } = await apiSystem(new VirtualSystem(), { metricsOpen: true });
    expect((await app.inject({ url: '/metrics', headers: { host: 'localhost' } })).statusCode).toBe(200);
  });

  it('answers to names of this machine only, the page included', async () => {
    const { app } = await apiSystem(new VirtualSystem());
    for (const host of [
      'evil.example',
      'evil.example:7070',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '10.0.0.1',
    ]) {
      for (const url of ['/', '/healthz', '/api/v1/status']) {
        const answer = await app.inject({ url, headers: { host, authorization: `Bearer ${token}` } });
        expect([host, answer.statusCode, answer.json().code]).toEqual([host, 403, 'forbidden-host']);
      }
    }
    for (const host of ['localhost', 'LOCALHOST:7070', '127.0.0.1', '127.0.0.1:7070', '[::1]:7070']) {
      expect((await app.inject({ url: '/livez', headers: { host } })).statusCode).toBe(200);
    }
  });

  it('lets no page of another origin in, even with the token', async () => {
    const { ask } = await apiSystem(new VirtualSystem());
    for (const origin of ['http://evil.example', 'null', 'http://localhost:3000', 'https://localhost']) {
      const answer = await ask('POST', '/api/v1/apply', { headers: { ...json, origin }, payload: documentText('a') });
      expect([origin, answer.statusCode, answer.json().code]).toEqual([origin, 403, 'forbidden-origin']);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await ask('GET', '/api/v1/status', { headers: { origin: 'http://localhost' } })).statusCode).toBe(200);
    expect((await ask('OPTIONS', '/api/v1/status', { headers: { origin: 'http://localhost' } })).statusCode).toBe(404);
  });

  it('keeps secrets out of the log', async () => {
    const { ask, logged } = await apiSystem(new VirtualSystem());
    const spec = { classes: [{ name: 'default', command: ['serve'], env: { KEY: 'hidden-value' } }] };
    await ask('POST', '/api/v1/apply?dryRun=false', { headers: json, payload: documentText('a', spec) });
    await ask('POST', '/api/v1/apply', { headers: json, payload: '{"broken' });
    expect(logged).toHaveLength(2);
    expect(JSON.stringify(logged)).not.toMatch(/hidden-value|ebb_/);
  });

  it('sends the page with its own policy', async () => {
    const { app } = await apiSystem(new VirtualSystem());
    const { headers, body } = await app.inject({ url: '/', headers: { host: 'localhost' } });
    expect(headers['content-security-policy']).toBe("default-src 'none'");
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(body).toContain('<title>Ebb</title>');
  });

  it('says so before it is ready, and takes no changes once it stops', async () => {
    let phase: 'starting' | 'stopping' = 'starting';
    const { app, ask } = await apiSystem(new VirtualSystem(), { phase: () => phase });
    expect((await ask('GET', '/api/v1/status')).json()).toMatchObject({ status: 503, code: 'starting' });
    expect((await app.inject({ url: '/livez', headers: { host: 'localhost' } })).statusCode).toBe(200);
    phase = 'stopping';
    expect((await ask('GET', '/api/v1/status')).statusCode).toBe(200);
    expect((await ask('DELETE', '/api/v1/namespaces/default/workloads/a')).json()).toMatchObject({ code: 'stopping' });
    expect((await ask('POST', '/api/v1/shutdown')).statusCode).toBe(202);
  });
});
