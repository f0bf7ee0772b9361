import { VirtualSystem } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import { apiSystem, documentText, json } from './apiSystem.fixture.ts';
import * as schemas from './schemas.ts';

const url = '/api/v1/namespaces/default/workloads/a';

/** A workload that was woken by a request, served it, and has a journal. */
async function served() {
  const set = await apiSystem(new VirtualSystem());
  const { system, ask } = set;
  await ask('POST', '/api/v1/apply', { headers: json, payload: documentText('a', { scaling: { keepAlive: '5s' } }) });
  await system.clock.advance(100);
  const exchange = system.gateway.arrive('local/default/a', 50_000);
  await system.clock.advance(3_000);
  expect(exchange.outcome).toBe('succeeded');
  return set;
}

describe('answers about a running workload', () => {
  it('are what the OpenAPI document says', async () => {
    const { ask, context } = await served();
    const read = async (path: string) => {
      const answer = await ask('GET', path);
      expect([path, answer.statusCode]).toEqual([path, 200]);
      return answer.json();
    };
    const status = schemas.systemStatusSchema.parse(await read('/api/v1/status'));
    expect(status.workloads[0]).toMatchObject({
      name: 'a',
      replicas: { ready: 1 },
      requests: { total: 1, succeeded: 1, held: 1 },
    });
    schemas.workloadStatusSchema.parse(await read(`${url}/status`));
    schemas.objectSchema.parse(await read(url));
    schemas.objectListSchema.parse(await read('/api/v1/namespaces/default/workloads'));
    const explanation = schemas.explanationSchema.parse(await read(`${url}/explain`));
    expect(explanation.lines.length).toBeGreaterThan(0);
    const recommendation = schemas.recommendationSchema.parse(await read(`${url}/recommendation`));
    expect(recommendation.classes[0]).toMatchObject({ class: 'default', amounts: null, confidence: { samples: 0 } });
    const journal = schemas.journalSchema.parse(await read('/api/v1/journal'));
    expect(journal.items.length).toBeGreaterThan(3);
    schemas.healthSchema.parse(await read('/healthz'));
    const events = [];
    for (let entry = context.ring.after(0); entry; entry = context.ring.after(entry.sequence)) {
      events.push(schemas.watchEventSchema.parse(JSON.parse(entry.json)).type);
    }
    expect(new Set(events)).toEqual(new Set(['status', 'decision', 'document']));
    const applied = await ask('POST', '/api/v1/apply', {
      headers: json,
      payload: documentText('a', { scaling: { keepAlive: '6s' } }),
    });
    schemas.applyAnswerSchema.parse(applied.json());
    const refused = await ask('POST', '/api/v1/apply', {
      headers: json,
      payload: documentText('a', { priority: 1e99 }),
    });
    expect(schemas.problemBodySchema.parse(refused.json()).problems?.[0]?.path).toBe('spec.priority');
  });

  it('explain the past', async () => {
    const { ask, context } = await served();
    const now = await ask('GET', `${url}/explain`);
    const before = await ask('GET', `${url}/explain?at=${context.startedAt - 1}`);
    expect(now.json().decision.body.decision.replicas).toBe(1);
    expect(before.json()).not.toEqual(now.json());
    expect((await ask('GET', `${url}/explain?at=yesterday`)).json()).toMatchObject({ code: 'invalid-parameter' });
  });

  it('filter the journal', async () => {
    const { ask } = await served();
    const items = async (query: string) => (await ask('GET', `/api/v1/journal?${query}`)).json().items;
    const decisions = await items('workload=a&kinds=decision,grant&newestFirst=true&limit=3');
    expect(decisions).toHaveLength(3);
    expect(decisions[0].sequence).toBeGreaterThan(decisions[1].sequence);
    expect(new Set(decisions.map((one: { workload: string }) => one.workload))).toEqual(new Set(['local/default/a']));
    expect(await items('workload=default/a&kinds=decision')).toEqual(
      await items('workload=local/default/a&kinds=decision'),
    );
    expect((await ask('GET', '/api/v1/journal?kinds=dreams')).json()).toMatchObject({
      code: 'invalid-parameter',
      detail: expect.stringContaining('dreams'),
    });
    expect((await ask('GET', '/api/v1/journal?limit=100000')).json()).toMatchObject({ code: 'invalid-parameter' });
  });

  it('have the lines of the replicas', async () => {
    const { ask, system } = await served();
    const [replica] = system.driver.replicas();
    const lines = (await ask('GET', `${url}/logs?tail=5`)).body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => schemas.logLineSchema.parse(line).replica)).toEqual([replica?.id]);
    expect((await ask('GET', `${url}/logs?replica=other`)).body).toBe('');
    expect((await ask('GET', `${url}/logs?tail=-1`)).json()).toMatchObject({ code: 'invalid-parameter' });
    expect((await ask('GET', '/api/v1/namespaces/default/workloads/b/logs')).json()).toMatchObject({
      code: 'not-found',
    });
  });

  it('are metrics as well', async () => {
    const { ask } = await served();
    const { body, headers } = await ask('GET', '/metrics');
    expect(headers['content-type']).toContain('version=0.0.4');
    const key = 'cluster="local",namespace="default",workload="a"';
    expect(body).toContain(`ebb_replicas{${key},class="default",state="ready"} 1\n`);
    expect(body).toContain(`ebb_requests_total{${key},outcome="succeeded"} 1\n`);
    expect(body).toContain('ebb_process_connected{process="gateway"} 1\n');
    for (const line of body.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) ebb_\w+ .+|ebb_\w+(\{(\w+="[^"]*",?)+\})? -?\d+(\.\d+)?(e[+-]?\d+)?)$/);
    }
    const typed = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(typed).size).toBe(typed.length);
  });
});

describe('the system', () => {
  it('is told to stop, or to leave things running', async () => {
    const { ask, shutdowns } = await apiSystem(new VirtualSystem());
    expect((await ask('POST', '/api/v1/shutdown')).statusCode).toBe(202);
    expect((await ask('POST', '/api/v1/shutdown?leaveRunning=true')).statusCode).toBe(202);
    expect(shutdowns).toEqual([{ leaveRunning: false }, { leaveRunning: true }]);
  });

  it('says when a process beside it is away', async () => {
    const { ask } = await apiSystem(new VirtualSystem(), { agent: () => ({ connected: false, pid: null }) });
    const answer = await ask('GET', '/healthz');
    expect([answer.statusCode, answer.json()]).toEqual([503, { status: 'degraded', gateway: true, agent: false }]);
  });

  it('tells of an agent that is away, and keeps the cause of what it cannot explain for the log', async () => {
    const { ask, logged, context } = await apiSystem(new VirtualSystem(), {
      logs: () => {
        throw Object.assign(new Error('the agent is not connected'), { code: 'disconnected' });
      },
    });
    await ask('POST', '/api/v1/apply', { headers: json, payload: documentText('a') });
    expect((await ask('GET', `${url}/logs`)).json()).toMatchObject({ status: 503, code: 'agent-unavailable' });
    context.engine.statuses = () => {
      throw new Error('inner detail');
    };
    const answer = await ask('GET', '/api/v1/status');
    expect(answer.json()).toMatchObject({ status: 500, code: 'internal' });
    expect(answer.body).not.toContain('inner detail');
    expect(JSON.stringify(logged)).toContain('inner detail');
  });
});
