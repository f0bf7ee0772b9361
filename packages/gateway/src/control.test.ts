import { Agent } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ask, open, testGateway, testReplica } from '../test/harness.ts';
import { endpointAt, gatewayWorkload } from '../test/workload.ts';
import { nowUs } from './clock.ts';

describe('the control plane', () => {
  it('may go away: routes stay, what is held stays, and a new one hears all of it', async () => {
    const replica = await testReplica((_incoming, response) => response.end('still here'));
    const warm = gatewayWorkload('warm', { endpoints: [endpointAt('r1', replica.port)] });
    const gateway = await testGateway([warm, gatewayWorkload('cold')]);
    const routed = await gateway.control.until('routed');
    await gateway.control.disconnect();

    expect((await ask(gateway.port, '/warm')).text).toBe('still here');
    const held = ask(gateway.port, '/cold', { method: 'POST', body: 'x' });
    await expect.poll(() => gateway.gateway.workloads.get('local/default/cold')?.held.size).toBe(1);

    const next = await gateway.connect(2);
    const hello = await next.until('hello');
    expect(hello).toMatchObject({ url: gateway.url, pid: process.pid });
    next.send({ type: 'sync', workloads: [warm, gatewayWorkload('cold')] });
    const full = await next.until('counts', ({ counts }) => counts.length === 2);
    const byName = new Map(full.counts.map((count) => [count.workload, count]));
    expect(byName.get('local/default/warm')?.requests.succeeded).toBe(1);
    expect(byName.get('local/default/cold')?.classes['default']?.held).toBe(1);
    expect(await next.until('wake')).toMatchObject({ workload: 'local/default/cold', held: 1 });
    expect(await next.until('routed')).toMatchObject({ replica: 'r1', atUs: routed.atUs });

    await next.apply(gatewayWorkload('cold', { endpoints: [endpointAt('r2', replica.port)] }));
    expect((await held).text).toBe('still here');
  });

  it('of an older epoch is not obeyed', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const newer = await gateway.connect(5);
    newer.send({ type: 'sync', workloads: [gatewayWorkload('w'), gatewayWorkload('x')] });
    await newer.until('counts');
    const older = await gateway.connect(4);
    older.send({ type: 'sync', workloads: [] });
    await newer.apply(gatewayWorkload('x'));
    expect([...gateway.gateway.workloads.keys()]).toEqual(['local/default/w', 'local/default/x']);
  });

  it('removes what a sync does not name, and what waits for it is refused', async () => {
    const gateway = await testGateway([gatewayWorkload('a'), gatewayWorkload('b')]);
    const waiting = ask(gateway.port, '/a');
    await gateway.control.until('wake');
    gateway.control.send({ type: 'sync', workloads: [gatewayWorkload('b')] });
    expect((await waiting).json()).toMatchObject({ code: 'workload-removed' });
    const unknown = await ask(gateway.port, '/a');
    expect(unknown.status).toBe(404);
    expect(unknown.json()['detail']).toContain('x-ebb-workload');
    expect(unknown.text).not.toContain('/b');
  });

  it('drains a replica: nothing new goes there, and it hears when the last request is over', async () => {
    const finish = Promise.withResolvers<void>();
    const draining = await testReplica((_incoming, response) => void finish.promise.then(() => response.end('old')));
    const fresh = await testReplica((_incoming, response) => response.end('new'));
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', draining.port)] })]);
    const last = ask(gateway.port, '/w');
    await expect.poll(() => draining.requests).toBe(1);
    await gateway.control.apply(
      gatewayWorkload('w', {
        endpoints: [endpointAt('r1', draining.port, { draining: true }), endpointAt('r2', fresh.port)],
      }),
    );
    for (let round = 0; round < 5; round += 1) expect((await ask(gateway.port, '/w')).text).toBe('new');
    expect(gateway.control.messages.some(({ type }) => type === 'drained')).toBe(false);
    finish.resolve();
    expect((await last).text).toBe('old');
    expect(await gateway.control.until('drained')).toMatchObject({ replica: 'r1' });
    expect(draining.requests).toBe(1);
  });

  it('hears again of a replica that was drained while nobody listened', async () => {
    const replica = await testReplica((_incoming, response) => response.end('ok'));
    const draining = gatewayWorkload('w', {
      endpoints: [endpointAt('r1', replica.port, { draining: true, drain: 7 })],
    });
    const gateway = await testGateway([draining]);
    await gateway.control.until('drained');
    await gateway.control.disconnect();
    const next = await gateway.connect(2);
    await next.until('hello');
    next.send({ type: 'sync', workloads: [draining] });
    expect(await next.until('drained')).toMatchObject({ replica: 'r1', drain: 7 });
  });

  it('hears the peak since the last report, and then a new one', async () => {
    const { promise: finish, resolve } = Promise.withResolvers<void>();
    const replica = await testReplica((_incoming, response) => void finish.then(() => response.end()));
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const answers = [ask(gateway.port, '/w'), ask(gateway.port, '/w')];
    await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.peak === 2);
    resolve();
    await Promise.all(answers);
    const over = await gateway.control.until('counts', ({ counts }) => counts[0]?.requests.succeeded === 2);
    await gateway.control.until(
      'counts',
      ({ counts }) => counts[0]?.classes['default']?.peak === 0,
      gateway.control.messages.indexOf(over) + 1,
    );
  });

  it('hears who waited longer than is on time, and how long those in flight waited', async () => {
    const finish = Promise.withResolvers<void>();
    const replica = await testReplica((_incoming, response) => void finish.promise.then(() => response.end()));
    const gateway = await testGateway([gatewayWorkload('w', { onTimeUs: 1 })]);
    const answer = ask(gateway.port, '/w');
    await gateway.control.until('counts', ({ counts }) => (counts[0]?.classes['default']?.oldestHeldUs ?? 0) > 0);
    await gateway.control.apply(gatewayWorkload('w', { onTimeUs: 1, endpoints: [endpointAt('r1', replica.port)] }));
    await gateway.control.until('counts', ({ counts }) => {
      const { late, inFlight, inFlightWaitUs = 0 } = counts[0]?.classes['default'] ?? {};
      return late === 1 && inFlight === 1 && inFlightWaitUs > 1;
    });
    finish.resolve();
    await answer;
    const over = await gateway.control.until('counts', ({ counts }) => counts[0]?.requests.succeeded === 1);
    const { late, inFlightWaitUs } = over.counts[0]?.classes['default'] ?? {};
    expect([late, inFlightWaitUs]).toEqual([1, undefined]);
  });

  it('takes a replica out: its idle connections are closed', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const replica = await testReplica((incoming, response) => {
      incoming.socket.on('close', () => resolve());
      response.end('ok');
    });
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    await ask(gateway.port, '/w');
    const begun = nowUs();
    await gateway.control.apply(gatewayWorkload('w'));
    await closed;
    // Long before the connection would have been given up for idleness.
    expect(nowUs() - begun).toBeLessThan(2_000_000);
  });

  it('hears from the gateway each second, also when nothing happens', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const from = gateway.control.messages.length;
    const first = await gateway.control.until('counts', () => true, from);
    const second = await gateway.control.until('counts', () => true, gateway.control.messages.indexOf(first) + 1);
    expect(second.atUs - first.atUs).toBeLessThan(3_000_000);
    expect(second.counts[0]?.workload).toBe('local/default/w');
  });

  it('hears counts that integrate demand exactly', async () => {
    const finish = Promise.withResolvers<void>();
    const replica = await testReplica((_incoming, response) => void finish.promise.then(() => response.end()));
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    const answer = ask(gateway.port, '/w');
    const begun = await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.inFlight === 1);
    const later = await gateway.control.until(
      'counts',
      ({ atUs, counts }) => atUs > begun.atUs && counts[0]?.classes['default']?.inFlight === 1,
    );
    const integral = (message: typeof begun) => message.counts[0]?.classes['default']?.demandIntegralUs ?? Number.NaN;
    expect(integral(later) - integral(begun)).toBe(later.atUs - begun.atUs);
    finish.resolve();
    await answer;
  });
});

describe('routing', () => {
  it('goes by the model in an OpenAI-style body, which arrives unchanged', async () => {
    const llama = await testReplica((incoming, response) => incoming.pipe(response));
    const qwen = await testReplica((_incoming, response) => response.end('qwen'));
    const gateway = await testGateway([
      gatewayWorkload('llama', {
        routes: [{ pathPrefix: '/v1', model: 'llama' }],
        endpoints: [endpointAt('r1', llama.port)],
      }),
      gatewayWorkload('qwen', {
        routes: [{ pathPrefix: '/v1', model: 'qwen' }],
        endpoints: [endpointAt('r2', qwen.port)],
      }),
    ]);
    const post = (body: string, type = 'application/json') =>
      ask(gateway.port, '/v1/chat/completions', { method: 'POST', body, headers: { 'content-type': type } });
    const body = JSON.stringify({ model: 'llama', messages: [{ content: 'ü' }], padding: 'x'.repeat(300_000) });
    expect((await post(body)).text).toBe(body);
    expect((await post('{"model":"qwen"}')).text).toBe('qwen');
    const unknown = await post('{"model":"gpt"}');
    expect(unknown.status).toBe(404);
    expect(unknown.json()['detail']).toContain('gpt');
    expect((await post('{"model":"qwen"}', 'text/plain')).status).toBe(404);
    expect((await post('not json')).status).toBe(404);
    expect(gateway.gateway.memory.usedBytes).toBe(0);
  });

  it('holds a request that was routed by its body, and wakes its class', async () => {
    const gateway = await testGateway([
      gatewayWorkload('llama', {
        routes: [{ model: 'llama' }],
        classes: [
          { name: 'small', accepts: { maxBodyBytes: null, maxTokens: 100, models: [], headers: {} } },
          { name: 'large', accepts: null },
        ],
      }),
    ]);
    const { outgoing } = open(gateway.port, '/v1/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    outgoing.end('{"model":"llama","max_tokens":5000}');
    expect(await gateway.control.until('wake')).toMatchObject({ class: 'large' });
    outgoing.destroy();
  });

  it('takes the name of any workload in a field', async () => {
    const replica = await testReplica((incoming, response) =>
      response.end(incoming.headers['x-ebb-workload'] ?? 'not told'),
    );
    const gateway = await testGateway([
      gatewayWorkload('w', { routes: [], endpoints: [endpointAt('r1', replica.port)] }),
    ]);
    expect((await ask(gateway.port, '/any', { headers: { 'x-ebb-workload': 'w' } })).text).toBe('not told');
    expect((await ask(gateway.port, '/any', { headers: { 'x-ebb-workload': 'default/w' } })).status).toBe(200);
    const wrong = await ask(gateway.port, '/any', { headers: { 'x-ebb-workload': 'v' } });
    expect(wrong.json()).toMatchObject({ status: 404, code: 'unknown-workload' });
  });

  it('keeps a client with its replica by header', async () => {
    const replicas = await Promise.all(
      ['a', 'b', 'c'].map((name) => testReplica((_incoming, response) => response.end(name))),
    );
    const gateway = await testGateway([
      gatewayWorkload('w', {
        affinity: { header: 'X-Session' },
        endpoints: replicas.map(({ port }, index) => endpointAt(`r${index}`, port)),
      }),
    ]);
    const seen = new Set<string>();
    for (let session = 0; session < 12; session += 1) {
      const answers = new Set<string>();
      for (let round = 0; round < 3; round += 1) {
        answers.add((await ask(gateway.port, '/w', { headers: { 'x-session': `s${session}` } })).text);
      }
      expect(answers.size).toBe(1);
      for (const text of answers) seen.add(text);
    }
    expect(seen.size).toBeGreaterThan(1);
  });
});

describe('the gateway’s own pages', () => {
  it('answer this machine only, under a name of this machine', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    expect((await ask(gateway.port, '/-/healthz')).text).toBe('ok\n');
    expect((await ask(gateway.port, '/-/other')).status).toBe(404);
    expect((await ask(gateway.port, '/-/queue', { method: 'POST' })).status).toBe(405);
    for (const headers of [{ host: 'evil.example' }, { 'x-forwarded-for': '1.2.3.4' }]) {
      const refused = await ask(gateway.port, '/-/queue', { headers });
      expect(refused.status).toBe(404);
      expect(refused.json()).toMatchObject({ code: 'no-route' });
    }
  });

  it('give metrics in Prometheus text', async () => {
    const replica = await testReplica((_incoming, response) => response.end('ok'));
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })]);
    for (let round = 0; round < 3; round += 1) await ask(gateway.port, '/w');
    await ask(gateway.port, '/nowhere');
    const { text } = await ask(gateway.port, '/-/metrics');
    expect(text).toContain('ebb_gateway_requests_total{workload="local/default/w",outcome="succeeded"} 3');
    expect(text).toContain('ebb_gateway_refusals_total{workload="",code="no-route"} 1');
    expect(text).toMatch(/ebb_gateway_added_seconds_count\{workload="local\/default\/w"\} 3/);
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? [0-9.e+-]+)$/);
    }
  });
});

describe('a shutdown', () => {
  it('lets what is in flight end, refuses what waits, and takes nothing new', async () => {
    const finish = Promise.withResolvers<void>();
    const replica = await testReplica((incoming, response) => {
      if (incoming.url === '/warm/late') {
        void finish.promise.then(() => response.end('late'));
        return;
      }
      response.write('begun ');
      void finish.promise.then(() => response.end('and done'));
    });
    const gateway = await testGateway([
      gatewayWorkload('warm', { endpoints: [endpointAt('r1', replica.port)] }),
      gatewayWorkload('cold'),
    ]);
    const inFlight = ask(gateway.port, '/warm');
    const agent = new Agent({ keepAlive: true });
    const late = ask(gateway.port, '/warm/late', { agent });
    await expect.poll(() => replica.requests).toBe(2);
    const waiting = ask(gateway.port, '/cold');
    await gateway.control.until('wake');
    gateway.control.send({ type: 'shutdown' });
    const refused = await waiting;
    expect(refused.status).toBe(503);
    expect(refused.json()).toMatchObject({ code: 'shutting-down' });
    await expect(ask(gateway.port, '/warm')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    finish.resolve();
    expect((await inFlight).text).toBe('begun and done');
    const lateAnswer = await late;
    expect(lateAnswer.text).toBe('late');
    expect(lateAnswer.headers.connection).toBe('close');
    agent.destroy();
    await gateway.stopped;
  });

  it('breaks off what does not end in time', async () => {
    const replica = await testReplica((_incoming, response) => void response.write('begun'));
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })], 50);
    const endless = ask(gateway.port, '/w');
    endless.catch(() => {});
    await expect.poll(() => replica.requests).toBe(1);
    await gateway.stop('test');
    await expect(endless).rejects.toThrow();
  });
});
