import { Agent } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ask, open, rawConnection, testGateway, testReplica } from '../test/harness.ts';
import { endpointAt, gatewayWorkload } from '../test/workload.ts';
import { nowUs } from './clock.ts';

describe('a request at zero', () => {
  it('wakes the control plane at once and is answered when a replica comes', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const replica = await testReplica((incoming, response) => incoming.pipe(response));
    const before = nowUs();
    const answer = ask(gateway.port, '/w/x?y=1', { method: 'POST', body: 'hello' });
    const wake = await gateway.control.until('wake');
    expect(wake).toMatchObject({ workload: 'local/default/w', class: 'default', held: 1 });
    expect(wake.heldAtUs).toBeGreaterThanOrEqual(before);
    expect(wake.heldAtUs).toBeLessThanOrEqual(nowUs());
    const held = await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.held === 1);
    expect(held.counts[0]).toMatchObject({
      requests: { total: 1 },
      classes: { default: { inFlight: 0, arrivals: 1 } },
    });

    gateway.control.send({
      type: 'workload',
      workload: gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] }),
    });
    const routed = await gateway.control.until('routed');
    expect(routed.replica).toBe('r1');
    const { status, text, headers } = await answer;
    expect({ status, text }).toEqual({ status: 200, text: 'hello' });
    expect(headers['x-ebb-replica']).toBe('r1');
    expect(Number(headers['x-ebb-waited-ms'])).toBeGreaterThanOrEqual(0);
    await gateway.control.until(
      'counts',
      ({ counts }) => counts[0]?.requests.succeeded === 1 && counts[0].classes['default']?.inFlight === 0,
    );
  });

  it('loses none of 2,000 that wait, and gives each its own answer', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const replica = await testReplica((incoming, response) => incoming.pipe(response));
    const agent = new Agent({ keepAlive: true, maxSockets: 2000 });
    const count = 2000;
    const answers = Array.from({ length: count }, (_, index) =>
      ask(gateway.port, '/w', { method: 'POST', body: `body ${index}`, agent }),
    );
    await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.held === count);
    const wakes = gateway.control.messages.filter(({ type }) => type === 'wake');
    expect(wakes).toHaveLength(1);
    await gateway.control.apply(gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port, { slots: 100 })] }));
    const texts = (await Promise.all(answers)).map(({ status, text }) => `${status} ${text}`);
    expect(texts).toEqual(Array.from({ length: count }, (_, index) => `200 body ${index}`));
    expect(replica.requests).toBe(count);
    const last = await gateway.control.until('counts', ({ counts }) => counts[0]?.requests.succeeded === count);
    expect(last.counts[0]?.classes['default']).toMatchObject({ inFlight: 0, held: 0 });
    agent.destroy();
  });

  it('is seen in the queue with its position and reason', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const first = open(gateway.port, '/w/a');
    first.outgoing.end();
    await gateway.control.until('wake');
    const second = open(gateway.port, '/w/b', { headers: { 'x-request-id': 'mine' } });
    second.outgoing.end();
    await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.held === 2);
    const queue = (await ask(gateway.port, '/-/queue')).json();
    expect(queue).toMatchObject({
      held: 2,
      entries: [
        { position: 1, reason: 'no-replica', target: '/w/a', workload: 'local/default/w' },
        { position: 2, reason: 'no-replica', target: '/w/b', requestId: 'mine' },
      ],
    });
    const metrics = (await ask(gateway.port, '/-/metrics')).text;
    expect(metrics).toContain('ebb_gateway_held{workload="local/default/w",class="default"} 2');
    first.outgoing.destroy();
    second.outgoing.destroy();
  });
});

describe('the end of a gateway', () => {
  it('is heard by all who wait until it is empty', async () => {
    const arrived = Promise.withResolvers<void>();
    const replica = await testReplica(() => arrived.resolve());
    const gateway = await testGateway([gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] })], 10);
    const broken = expect(ask(gateway.port, '/w')).rejects.toThrow();
    await arrived.promise;
    const emptied = gateway.gateway.empty(60_000);
    await gateway.stop('the test says so');
    await broken;
    await emptied;
    expect(gateway.gateway.load()).toBe(0);
  });
});

describe('the queue', () => {
  it('refuses what does not fit and says when to come again', async () => {
    const gateway = await testGateway([gatewayWorkload('w', { buffer: { maxRequests: 2 } })]);
    const waiting = [open(gateway.port, '/w'), open(gateway.port, '/w')];
    for (const { outgoing } of waiting) outgoing.end();
    await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.held === 2);
    const refused = await ask(gateway.port, '/w');
    expect(refused.status).toBe(503);
    expect(refused.headers['content-type']).toBe('application/problem+json');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.json()).toMatchObject({ code: 'queue-full', workload: 'local/default/w' });
    for (const { outgoing } of waiting) outgoing.destroy();
  });

  it('ends what waited too long', async () => {
    const gateway = await testGateway([gatewayWorkload('w', { timeouts: { holdMs: 60 } })]);
    const begun = nowUs();
    const refused = await ask(gateway.port, '/w', { method: 'POST', body: 'x' });
    expect(nowUs() - begun).toBeGreaterThanOrEqual(55_000);
    expect([503, 504]).toContain(refused.status);
    expect(refused.json()).toMatchObject({ code: 'hold-timeout' });
    await gateway.control.until(
      'counts',
      ({ counts }) => counts[0]?.classes['default']?.held === 0 && counts[0].requests.total === 1,
    );
  });

  it("obeys the client's own deadline, and refuses one it cannot read", async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const late = await ask(gateway.port, '/w', { headers: { 'x-ebb-deadline-ms': '40' } });
    expect(late.status).toBe(504);
    expect(late.json()).toMatchObject({ code: 'deadline-passed' });
    const malformed = await ask(gateway.port, '/w', { headers: { 'x-ebb-deadline-ms': 'soon' } });
    expect(malformed.status).toBe(400);
  });

  it('forgets a request whose client went away', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const { outgoing } = open(gateway.port, '/w', { method: 'POST' });
    outgoing.end('x');
    await gateway.control.until('wake');
    outgoing.destroy();
    const gone = await gateway.control.until('counts', ({ counts }) => counts[0]?.requests.cancelled === 1);
    expect(gone.counts[0]?.classes['default']?.held).toBe(0);
    const replica = await testReplica((incoming, response) => incoming.pipe(response));
    await gateway.control.apply(gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] }));
    expect((await ask(gateway.port, '/w')).status).toBe(200);
    expect(replica.requests).toBe(1);
  });

  it('refuses all that waits, with the reason, when no replica can be had', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const waiting = ask(gateway.port, '/w');
    await gateway.control.until('wake');
    const unavailable = { code: 'startup-budget', message: 'No replica became ready within 30 s.', retryAfterMs: 5000 };
    await gateway.control.apply(gatewayWorkload('w', { unavailable }));
    for (const refused of [await waiting, await ask(gateway.port, '/w')]) {
      expect(refused.status).toBe(503);
      expect(refused.headers['retry-after']).toBe('5');
      expect(refused.json()).toMatchObject({ code: 'unavailable', reason: 'startup-budget' });
      expect(refused.json()['detail']).toContain('No replica became ready within 30 s.');
    }
  });

  it('never has more in flight than a replica has slots', async () => {
    let now = 0;
    let most = 0;
    const finish: (() => void)[] = [];
    const replica = await testReplica((_incoming, response) => {
      now += 1;
      most = Math.max(most, now);
      finish.push(() => {
        now -= 1;
        response.end('done');
      });
    });
    const gateway = await testGateway([
      gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port, { slots: 2 })] }),
    ]);
    const answers = Array.from({ length: 6 }, () => ask(gateway.port, '/w'));
    for (let done = 0; done < 6; done += 1) {
      await gateway.control.until(
        'counts',
        ({ counts }) => counts[0]?.requests.succeeded === done && counts[0].replicas['r1'] === Math.min(2, 6 - done),
      );
      await expect.poll(() => finish.length).toBeGreaterThan(0);
      finish.shift()?.();
    }
    expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true);
    expect(most).toBe(2);
  });
});

describe('the body of a request that waits', () => {
  it('stays with the client when it is large, and arrives whole', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const replica = await testReplica((incoming, response) => {
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      incoming.on('end', () => response.end(String(bytes)));
    });
    const answer = ask(gateway.port, '/w', { method: 'POST', body: Buffer.alloc(6 * 1024 * 1024, 'x') });
    await gateway.control.until('wake');
    expect(gateway.gateway.memory.usedBytes).toBe(0);
    await gateway.control.apply(gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] }));
    expect((await answer).text).toBe(String(6 * 1024 * 1024));
  });

  it('is read ahead a little when its length is unknown, and arrives whole', async () => {
    const gateway = await testGateway([gatewayWorkload('w')]);
    const replica = await testReplica((incoming, response) => incoming.pipe(response));
    const { outgoing, answer } = open(gateway.port, '/w', {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
    });
    const part = 'y'.repeat(100_000);
    outgoing.write(part);
    outgoing.write(part);
    await gateway.control.until('wake');
    await expect.poll(() => gateway.gateway.memory.usedBytes).toBeGreaterThan(0);
    outgoing.end('end');
    await gateway.control.apply(gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] }));
    let text = '';
    for await (const chunk of await answer) text += String(chunk);
    expect(text).toBe(`${part}${part}end`);
    expect(gateway.gateway.memory.usedBytes).toBe(0);
  });

  it('may not be larger than what may wait; where nothing has to wait, it may', async () => {
    const replica = await testReplica((incoming, response) => incoming.pipe(response));
    const gateway = await testGateway([gatewayWorkload('w', { buffer: { maxBodyBytes: 1000 } })]);
    const refused = await ask(gateway.port, '/w', { method: 'POST', body: 'x'.repeat(1001) });
    expect(refused.status).toBe(413);
    expect(refused.json()).toMatchObject({ code: 'body-too-large' });
    await gateway.control.apply(
      gatewayWorkload('w', { buffer: { maxBodyBytes: 1000 }, endpoints: [endpointAt('r1', replica.port)] }),
    );
    expect((await ask(gateway.port, '/w', { method: 'POST', body: 'x'.repeat(100_000) })).text).toHaveLength(100_000);
  });

  it('is asked for with 100 Continue only when it is wanted', async () => {
    const replica = await testReplica((incoming, response) => incoming.pipe(response));
    const gateway = await testGateway([gatewayWorkload('w', { buffer: { maxBodyBytes: 1000 } })]);
    const refused = await rawConnection(gateway.port);
    refused.socket.write('POST /w HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n');
    await refused.closed;
    expect(refused.received()).toMatch(/^HTTP\/1\.1 413 /);
    expect(refused.received()).toMatch(/connection: close/i);

    await gateway.control.apply(gatewayWorkload('w', { endpoints: [endpointAt('r1', replica.port)] }));

    const taken = Promise.withResolvers<void>();
    const { outgoing, answer } = open(gateway.port, '/w', {
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': '4' },
    });
    outgoing.flushHeaders();
    outgoing.on('continue', () => taken.resolve());
    await taken.promise;
    outgoing.end('body');
    let text = '';
    for await (const chunk of await answer) text += String(chunk);
    expect(text).toBe('body');
  });
});
