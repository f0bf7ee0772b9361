import { describe, expect, it } from 'vitest';
import { ask, open, testGateway, testReplica } from '../test/harness.ts';
import { endpointAt, gatewayWorkload } from '../test/workload.ts';
import { deferredText, readDeferral } from './deferral.ts';

const deferrable = { maxDelayMs: 3_600_000, reserve: 0, maxRequests: 100 };
const tenMinutes = { headers: { 'ebb-defer': '10m' } };

describe('readDeferral', () => {
  it.each([
    [undefined, { type: 'none' }],
    ['10m', { type: 'for', ms: 600_000 }],
    ['1h30m', { type: 'for', ms: 5_400_000 }],
    [' 90 ', { type: 'for', ms: 90_000 }],
    ['0.25', { type: 'for', ms: 250 }],
  ])('%s → %o', (text, expected) => expect(readDeferral({ 'ebb-defer': text })).toEqual(expected));

  it.each(['', '0', '0s', '-5', 'soon', '1e3', '10 minutes', '9'.repeat(60)])('refuses "%s"', (text) => {
    expect(readDeferral({ 'ebb-defer': text })).toMatchObject({
      type: 'malformed',
      message: expect.stringContaining('ebb-defer'),
    });
  });

  it('is told in seconds', () => {
    expect([deferredText(3_200_400), deferredText(0), deferredText('off')]).toEqual(['3.2s', '0s', 'off']);
  });
});

describe('a deferrable request', () => {
  it('wakes nothing, fills the slot that an ordinary one leaves free, and says how long it waited', async () => {
    const gateway = await testGateway([gatewayWorkload('w', { deferrable })]);
    const answers: (() => void)[] = [];
    const replica = await testReplica((incoming, response) => {
      answers.push(() => incoming.pipe(response));
    });
    const deferred = ask(gateway.port, '/w/batch', { method: 'POST', body: 'later', ...tenMinutes });
    await gateway.control.until('counts', ({ counts }) => counts[0]?.deferred?.waiting === 1);
    const interactive = ask(gateway.port, '/w/now', { method: 'POST', body: 'now' });
    const wake = await gateway.control.until('wake');
    expect(wake).toMatchObject({ held: 1, class: 'default' });
    expect(gateway.control.messages.filter(({ type }) => type === 'wake')).toHaveLength(1);
    expect((await ask(gateway.port, '/-/queue')).json()).toMatchObject({
      held: 1,
      deferred: 1,
      entries: [
        { target: '/w/now', reason: 'no-replica' },
        { target: '/w/batch', reason: 'deferred', position: 1 },
      ],
    });
    const metrics = (await ask(gateway.port, '/-/metrics')).text;
    expect(metrics).toContain('ebb_gateway_held{workload="local/default/w",class="default"} 1');
    expect(metrics).toContain('ebb_gateway_deferred{workload="local/default/w"} 1');

    const endpoints = [endpointAt('r1', replica.port, { slots: 1 })];
    await gateway.control.apply(gatewayWorkload('w', { deferrable, endpoints }));
    await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.inFlight === 1);
    while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toHaveLength(1);
    answers.shift()?.();
    const first = await interactive;
    expect({ text: first.text, deferred: first.headers['ebb-deferred'] }).toEqual({ text: 'now', deferred: undefined });
    await gateway.control.until('counts', ({ counts }) => counts[0]?.deferred?.inFlight === 1);
    while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    answers.shift()?.();
    const late = await deferred;
    expect({ status: late.status, text: late.text }).toEqual({ status: 200, text: 'later' });
    expect(late.headers['ebb-deferred']).toMatch(/^\d+(\.\d+)?s$/);
    const last = await gateway.control.until('counts', ({ counts }) => counts[0]?.requests.succeeded === 2);
    expect(last.counts[0]).toMatchObject({
      classes: { default: { arrivals: 1, inFlight: 0 } },
      replicas: { r1: 0 },
      deferred: { arrivals: 1, begun: 1, turned: 0, waiting: 0, inFlight: 0 },
    });
  });

  it('wakes when its deadline comes near, and is refused at it', async () => {
    const gateway = await testGateway([gatewayWorkload('w', { deferrable, timeouts: { holdMs: 30 } })]);
    const answer = ask(gateway.port, '/w', { headers: { 'ebb-defer': '1.2' } });
    await gateway.control.until('counts', ({ counts }) => counts[0]?.deferred?.waiting === 1);
    expect(await gateway.control.until('wake')).toMatchObject({ held: 1 });
    await gateway.control.until('counts', ({ counts }) => counts[0]?.classes['default']?.held === 1);
    const refused = await answer;
    expect(refused.status).toBe(504);
    expect(refused.json()).toMatchObject({ code: 'deadline-passed' });
  });

  it('is an ordinary one where the workload has it off, and the answer says so', async () => {
    const replica = await testReplica((_incoming, response) => response.end('ok'));
    const endpoints = [endpointAt('r1', replica.port)];
    const gateway = await testGateway([gatewayWorkload('w', { endpoints }), gatewayWorkload('zero')]);
    const answered = await ask(gateway.port, '/w', tenMinutes);
    expect(answered.headers['ebb-deferred']).toBe('off');
    const { outgoing } = open(gateway.port, '/zero', tenMinutes);
    outgoing.end();
    expect(await gateway.control.until('wake')).toMatchObject({ workload: 'local/default/zero' });
    outgoing.destroy();
  });

  it('says that it did not wait, and is refused where the header cannot be read', async () => {
    const replica = await testReplica((incoming, response) => response.end(incoming.headers['ebb-defer'] ?? 'none'));
    const endpoints = [endpointAt('r1', replica.port, { slots: 2 })];
    const gateway = await testGateway([gatewayWorkload('w', { deferrable, endpoints })]);
    const answered = await ask(gateway.port, '/w', tenMinutes);
    expect(answered.headers['ebb-deferred']).toBe('0s');
    // It is between the sender and the gateway.
    expect(answered.text).toBe('none');
    const malformed = await ask(gateway.port, '/w', { headers: { 'ebb-defer': 'soon' } });
    expect(malformed.status).toBe(400);
    expect(malformed.json()).toMatchObject({ code: 'bad-request', detail: expect.stringContaining('found "soon"') });
  });

  it('is forgotten when its client goes away, with its body', async () => {
    const gateway = await testGateway([gatewayWorkload('w', { deferrable })]);
    const { outgoing } = open(gateway.port, '/w', { method: 'POST', ...tenMinutes });
    outgoing.end('x'.repeat(200_000));
    await gateway.control.until('counts', ({ counts }) => counts[0]?.deferred?.waiting === 1);
    outgoing.destroy();
    const gone = await gateway.control.until('counts', ({ counts }) => counts[0]?.requests.cancelled === 1);
    expect(gone.counts[0]).toMatchObject({ deferred: { waiting: 0, inFlight: 0 } });
    expect((await ask(gateway.port, '/-/queue')).json()).toMatchObject({ deferred: 0, entries: [] });
  });

  it('does not lose the time that an exchange may take to its deferral', async () => {
    const gateway = await testGateway([gatewayWorkload('w', { deferrable })]);
    const replica = await testReplica((_incoming, response) => response.end('ok'));
    const answer = ask(gateway.port, '/w', tenMinutes);
    await gateway.control.until('counts', ({ counts }) => counts[0]?.deferred?.waiting === 1);
    // Two heartbeats are a second apart, which is longer than the whole exchange may take.
    await gateway.control.until('counts', () => true, gateway.control.messages.length);
    await gateway.control.until('counts', () => true, gateway.control.messages.length);
    const endpoints = [endpointAt('r1', replica.port, { slots: 1 })];
    await gateway.control.apply(gatewayWorkload('w', { deferrable, endpoints, timeouts: { requestMs: 500 } }));
    const answered = await answer;
    expect(answered.status).toBe(200);
    expect(Number.parseFloat(String(answered.headers['ebb-deferred']))).toBeGreaterThan(0.5);
  });
});
