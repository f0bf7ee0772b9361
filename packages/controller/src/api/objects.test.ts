import { VirtualSystem } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import { apiSystem, documentText, json, yaml } from './apiSystem.fixture.ts';

const url = '/api/v1/namespaces/default/workloads';

const twoDocuments = `
apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: a, labels: { team: vision } }
spec:
  classes: [{ name: default, command: [serve] }]
---
apiVersion: ebb.dev/v1alpha1
kind: Cluster
metadata: { name: local }
spec:
  limits: { maxReplicas: 3 }
`;

describe('apply', () => {
  it('creates, then finds nothing to do, then changes', async () => {
    const { ask } = await apiSystem(new VirtualSystem());
    const actions = async (payload: string) => {
      const answer = await ask('POST', '/api/v1/apply', { headers: yaml, payload });
      expect(answer.statusCode).toBe(200);
      return answer
        .json()
        .outcomes.map((one: { kind: string; action: string; generation: number }) => [
          one.kind,
          one.action,
          one.generation,
        ]);
    };
    expect(await actions(twoDocuments)).toEqual([
      ['Workload', 'created', 1],
      ['Cluster', 'created', 1],
    ]);
    expect(await actions(twoDocuments)).toEqual([
      ['Workload', 'unchanged', 1],
      ['Cluster', 'unchanged', 1],
    ]);
    expect(await actions(twoDocuments.replace('[serve]', '[serve, fast]'))).toEqual([
      ['Workload', 'configured', 2],
      ['Cluster', 'unchanged', 1],
    ]);
  });

  it('tells every problem at its place and changes nothing', async () => {
    const { ask } = await apiSystem(new VirtualSystem());
    const payload = twoDocuments
      .replace('maxReplicas: 3', 'maxReplicas: -3')
      .replace('command: [serve]', 'comand: [serve]');
    const headers = { ...yaml, 'x-ebb-origin': encodeURIComponent('/models/ä b.yaml') };
    const answer = await ask('POST', '/api/v1/apply', { headers, payload });
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    const { code, detail, problems } = answer.json();
    expect(code).toBe('invalid-documents');
    expect(detail).toMatch(/^\/models\/ä b\.yaml:6:\d+: error: .*\(and \d more\)$/);
    expect(problems.map((one: { line: number }) => one.line)).toEqual(expect.arrayContaining([6, 12]));
    expect((await ask('GET', url)).json().items).toEqual([]);
  });

  it('refuses a route that another workload has, at its place', async () => {
    const { ask } = await apiSystem(new VirtualSystem());
    const routes = { serving: { routes: [{ pathPrefix: '/x' }] } };
    await ask('POST', '/api/v1/apply', { headers: json, payload: documentText('a', routes) });
    for (const dryRun of ['true', 'false']) {
      const answer = await ask('POST', `/api/v1/apply?dryRun=${dryRun}`, {
        headers: json,
        payload: documentText('b', routes),
      });
      expect(answer.json()).toMatchObject({
        status: 422,
        code: 'invalid-documents',
        problems: [{ code: 'route-conflict' }],
      });
      expect(answer.json().problems[0].column).toBeGreaterThan(1);
    }
    expect((await ask('GET', `${url}/b`)).statusCode).toBe(404);
  });

  it('says what would change in a dry run and changes nothing', async () => {
    const { ask, context } = await apiSystem(new VirtualSystem());
    const dry = async (payload: string) =>
      (await ask('POST', '/api/v1/apply?dryRun=true', { headers: json, payload })).json();
    expect(await dry(documentText('a'))).toMatchObject({
      dryRun: true,
      outcomes: [{ action: 'created', resourceVersion: null }],
    });
    await ask('POST', '/api/v1/apply', { headers: json, payload: documentText('a') });
    const before = context.ring.newest;
    expect(await dry(documentText('a'))).toMatchObject({ outcomes: [{ action: 'unchanged', resourceVersion: '1' }] });
    expect(await dry(documentText('a', { priority: 5 }))).toMatchObject({
      outcomes: [{ action: 'configured', resourceVersion: '1' }],
    });
    expect((await ask('GET', `${url}/a`)).json().metadata.generation).toBe(1);
    expect(context.ring.newest).toBe(before);
  });

  it.each([
    ['no document', yaml, '# nothing\n', 400, 'bad-request'],
    ['no body', yaml, '', 400, 'bad-request'],
    ['another type', { 'content-type': 'text/plain' }, 'a: 1', 415, 'unsupported-media-type'],
    ['not a document', yaml, '- 1', 422, 'invalid-documents'],
    ['not JSON', json, '{"a', 422, 'invalid-documents'],
    ['too much', yaml, `# ${'x'.repeat(4 * 1024 * 1024)}`, 413, 'too-large'],
    ['an origin that is no path', { ...yaml, 'x-ebb-origin': '%ff' }, 'a: 1', 400, 'bad-request'],
  ])('refuses %s', async (_what, headers, payload, status, code) => {
    const { ask } = await apiSystem(new VirtualSystem());
    const answer = await ask('POST', '/api/v1/apply', { headers, payload });
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
  });
});

describe('objects', () => {
  it('have the head of Kubernetes, and a status', async () => {
    const { ask } = await apiSystem(new VirtualSystem());
    await ask('POST', '/api/v1/apply', { headers: yaml, payload: twoDocuments });
    const object = (await ask('GET', `${url}/a`)).json();
    expect(object).toMatchObject({
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'Workload',
      metadata: {
        name: 'a',
        namespace: 'default',
        cluster: 'local',
        labels: { team: 'vision' },
        annotations: {},
        resourceVersion: '1',
        generation: 1,
        creationTimestamp: expect.stringMatching(/^2026-01-01T00:00:0\d\.\d{3}Z$/),
      },
      spec: { classes: [{ name: 'default', command: ['serve'] }] },
      status: { name: 'a', generation: 1, replicas: { wanted: 0 } },
    });
    expect((await ask('GET', '/api/v1/namespaces/*/workloads')).json().items).toEqual([object]);
    expect((await ask('GET', '/api/v1/namespaces/other/workloads')).json().items).toEqual([]);
    expect((await ask('GET', '/api/v1/namespaces/default/clusters/local')).json()).toMatchObject({
      kind: 'Cluster',
      spec: { limits: { maxReplicas: 3 } },
    });
    expect((await ask('GET', '/api/v1/namespaces/default/clusters')).json()).toMatchObject({
      kind: 'ClusterList',
      items: [{ kind: 'Cluster' }],
    });
  });

  it('can be sent back as they were read, until somebody else changed them', async () => {
    const { ask } = await apiSystem(new VirtualSystem());
    const put = (object: unknown) => ask('PUT', `${url}/a`, { headers: json, payload: JSON.stringify(object) });
    expect((await put(JSON.parse(documentText('a')))).statusCode).toBe(201);
    const read = (await ask('GET', `${url}/a`)).json();
    const changed = await put({ ...read, spec: { ...read.spec, priority: 7 } });
    expect([changed.statusCode, changed.json().metadata.generation]).toEqual([200, 2]);
    const stale = await put({ ...read, spec: { ...read.spec, priority: 8 } });
    expect(stale.json()).toMatchObject({ status: 409, code: 'conflict', detail: expect.stringContaining('version 2') });
    expect((await ask('GET', `${url}/a`)).json().spec.priority).toBe(7);
    const exists = await put({ ...read, metadata: { ...read.metadata, resourceVersion: '0' } });
    expect(exists.json()).toMatchObject({ code: 'conflict' });
  });

  it('must be what the path says', async () => {
    const { ask } = await apiSystem(new VirtualSystem());
    const answer = await ask('PUT', `${url}/b`, { headers: json, payload: documentText('a') });
    expect(answer.json()).toMatchObject({
      status: 400,
      detail: 'the document is Workload default/a, the path says Workload default/b',
    });
  });

  it('are deleted once, and at a version where one is named', async () => {
    const { ask, system } = await apiSystem(new VirtualSystem());
    await ask('POST', '/api/v1/apply', { headers: json, payload: documentText('a') });
    expect((await ask('DELETE', `${url}/a?resourceVersion=9`)).json()).toMatchObject({ status: 409, code: 'conflict' });
    expect((await ask('DELETE', `${url}/a?resourceVersion=x`)).json()).toMatchObject({
      status: 400,
      code: 'invalid-parameter',
    });
    expect((await ask('DELETE', `${url}/a?resourceVersion=1`)).json()).toMatchObject({ metadata: { name: 'a' } });
    expect((await ask('DELETE', `${url}/a`)).json()).toMatchObject({ status: 404, code: 'not-found' });
    await system.clock.advance(1_000);
    expect((await ask('GET', url)).json().items).toEqual([]);
  });

  it('of a kind that there is not are told from routes that there are not', async () => {
    const { ask } = await apiSystem(new VirtualSystem());
    expect((await ask('GET', '/api/v1/namespaces/default/pods')).json()).toMatchObject({
      status: 404,
      code: 'unknown-kind',
      detail: expect.stringMatching(/"pods".*workloads/),
    });
    expect((await ask('GET', '/api/v2/status')).json()).toMatchObject({ status: 404, code: 'unknown-route' });
    expect((await ask('GET', `${url}?clsuter=local`)).json()).toMatchObject({
      status: 400,
      code: 'invalid-parameter',
      detail: expect.stringContaining('clsuter'),
    });
  });
});
