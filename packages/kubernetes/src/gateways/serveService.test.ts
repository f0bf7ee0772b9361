import { readFileSync } from 'node:fs';
import { yamlValues } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { readObject } from '../client/objects.ts';
import { isObject } from '../client/values.ts';
import { slicesOf, sliceText } from './endpointSlices.ts';
import { blindReason, isIdle } from './serveFacts.ts';
import { isServeService, readServeService } from './serveService.ts';

function service(annotations: Record<string, string> = {}, spec: Record<string, unknown> = {}) {
  const metadata = { name: 'front', namespace: 'shop', uid: 'u1', labels: { 'ebb.dev/gateway': 'serve' }, annotations };
  const object = readObject(
    { metadata, spec: { ports: [{ port: 80 }], ...spec } },
    { apiVersion: 'v1', kind: 'Service' },
  );
  if (!object) throw new Error('no Service');
  return object;
}
const problem = (...parts: Parameters<typeof service>) => {
  const read = readServeService(service(...parts));
  return 'problem' in read ? `${read.problem.code}: ${read.problem.message}` : null;
};

describe('a Service whose endpoints are to be kept', () => {
  it('stands for the workload of its name, unless it says more', () => {
    expect(readServeService(service())).toEqual({
      ...{ workload: 'front', targetBurstCapacity: null, endpointGraceMs: 5000, serveAfterMs: 30_000 },
      ...{ port: { name: '', appProtocol: null }, family: 'IPv4' },
    });
    const said = {
      'ebb.dev/workload': 'llm',
      'autoscaling.knative.dev/target-burst-capacity': '211',
      'ebb.dev/serve-after': '1m30s',
      'ebb.dev/endpoint-grace': '250ms',
    };
    expect(
      readServeService(service(said, { ipFamilies: ['IPv6'], ports: [{ name: 'web', appProtocol: 'http' }] })),
    ).toEqual({
      ...{ workload: 'llm', targetBurstCapacity: 211, endpointGraceMs: 250, serveAfterMs: 90_000 },
      ...{ port: { name: 'web', appProtocol: 'http' }, family: 'IPv6' },
    });
    const both = { ...said, 'ebb.dev/target-burst-capacity': '-1' };
    expect(readServeService(service(both))).toMatchObject({ targetBurstCapacity: -1 });
  });

  it('is that of the docs', () => {
    const page = readFileSync(new URL('../../../../docs/kubernetes-gateway.md', import.meta.url), 'utf8');
    const [, block = ''] = /`llm\.yaml`:\n\n```yaml\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const [first] = yamlValues(block);
    const object = readObject(first, { apiVersion: 'v1', kind: 'Service' });
    expect(object && isServeService(object)).toBe(true);
    expect(object && readServeService(object)).toMatchObject({ workload: 'llm', targetBurstCapacity: 16 });
  });

  it('says what is wrong with it, what was found and what may be written', () => {
    expect(problem({ 'ebb.dev/target-burst-capacity': 'many' })).toBe(
      'InvalidAnnotation: ebb.dev/target-burst-capacity: "many" is not a number of requests; write 0, -1 (always through gateways) or up to 1000000',
    );
    expect(problem({ 'ebb.dev/target-burst-capacity': '-2' })).toContain('"-2" is not a number');
    expect(problem({ 'ebb.dev/serve-after': '30' })).toMatch(/InvalidAnnotation: ebb\.dev\/serve-after: .*30/);
    expect(problem({ 'ebb.dev/endpoint-grace': '6m' })).toContain('6m is longer than 5m');
    expect(problem({ 'ebb.dev/endpoint-grase': '5s' })).toContain('did you mean ebb.dev/endpoint-grace?');
    // Of another concern, and of another project.
    expect(problem({ 'ebb.dev/mode': 'advice', 'example.dev/workload': 'x' })).toBeNull();
    expect(problem({}, { selector: { app: 'llm' } })).toContain('HasSelector');
    expect(problem({}, { type: 'ExternalName' })).toContain('NoEndpoints');
    expect(problem({}, { clusterIP: 'None' })).toContain('Headless');
    expect(problem({}, { ports: [{ port: 80 }, { port: 81 }] })).toContain('Ports: it has 2 ports');
    expect(problem({}, { ports: [{ port: 80, protocol: 'UDP' }] })).toContain('UDP');
  });
});

describe('slices of a Service', () => {
  const setting = readServeService(service({}, { ports: [{ name: 'web', appProtocol: 'http' }] }));
  if ('problem' in setting) throw new Error(setting.problem.message);
  const at = (ip: string, port = 9000) => ({ ip, port, node: 'n1', pod: { namespace: 'shop', name: ip, uid: ip } });
  const make = (addresses: ReturnType<typeof at>[], present: string[] = [], load = 1.23456) =>
    slicesOf(service(), setting, { mode: 'serve', loadPerReplica: load, addresses }, new Set(present));

  it('are one for each sort of address, and stay where there is none any more', () => {
    const both = make([at('10.0.0.2'), at('fd00::1'), at('10.0.0.1')]);
    expect(both.map(({ name, body }) => [name, body.addressType])).toEqual([
      ['front-ebb', 'IPv4'],
      ['front-ebb-ipv6', 'IPv6'],
    ]);
    expect(both[0]?.body).toMatchObject({
      metadata: { annotations: { 'ebb.dev/path': 'serve', 'ebb.dev/load-per-replica': '1.235' } },
      endpoints: [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.2'] }],
      ports: [{ name: 'web', port: 9000, protocol: 'TCP', appProtocol: 'http' }],
    });
    expect(make([at('10.0.0.1')]).map(({ name }) => name)).toEqual(['front-ebb']);
    const left = make([at('10.0.0.1')], ['front-ebb-ipv6']);
    expect(left.map(({ name, body }) => [name, body.endpoints])).toMatchObject([
      ['front-ebb', [{}]],
      ['front-ebb-ipv6', []],
    ]);
    expect(make([]).map(({ body }) => [body.addressType, body.endpoints, body.ports])).toEqual([['IPv4', [], []]]);
  });

  it('are the same to clients whatever order pods come in, and not where one is another', () => {
    const text = (...addresses: ReturnType<typeof at>[]) => sliceText(make(addresses)[0]?.body ?? {});
    expect(text(at('10.0.0.2'), at('10.0.0.1'))).toBe(text(at('10.0.0.1'), at('10.0.0.2')));
    expect(text(at('10.0.0.1'))).not.toBe(text(at('10.0.0.2')));
    expect(text({ ...at('10.0.0.1'), pod: { namespace: 'shop', name: 'x', uid: 'other' } })).not.toBe(
      text(at('10.0.0.1')),
    );
    expect(text(at('10.0.0.1', 9001))).not.toBe(text(at('10.0.0.1')));
  });

  it('read back from the server as they were written', () => {
    const [written] = make([at('10.0.0.1'), at('10.0.0.2')]);
    const read = JSON.parse(JSON.stringify(written?.body)) as unknown;
    expect(isObject(read) && sliceText(read)).toBe(sliceText(written?.body ?? {}));
  });
});

describe('what may decide while gateways are out of the path', () => {
  const trigger = (type: string, active: boolean | null = false) => ({
    ...{ name: type, type, state: 'ok' as const, value: 0, target: 1, active, at: 0, message: '' },
  });
  const by = (...triggers: ReturnType<typeof trigger>[]) => ({
    scaledBy: { kind: 'ScaledObject' as const, name: 'llm', mode: 'exact' as const, triggers },
  });
  const endpoint = (port: number) => ({
    ...{ replica: `r${port}`, class: 'default', host: '10.0.0.1', port, slots: 1, draining: false },
  });
  const formula = {
    modifiers: { formula: 'a + b', target: 1, activationTarget: 0, metricType: 'AverageValue' as const },
  };
  const code = (...parts: Parameters<typeof blindReason>) => blindReason(...parts)?.code ?? null;

  it('is a trigger that measures the load past them', () => {
    expect(code({ scaledBy: null }, null, [])).toBe('DecidedByGateways');
    expect(code({ scaledBy: { ...by(trigger('http')).scaledBy, kind: 'HTTPScaledObject' } }, null, [])).toBe(
      'DecidedByGateways',
    );
    expect(code(by(trigger('http'), trigger('cron')), null, [])).toBe('DecidedByGateways');
    for (const type of ['prometheus', 'cpu', 'external'])
      expect(code(by(trigger('http'), trigger(type)), null, [])).toBeNull();
    expect(code(by(trigger('http'), trigger('prometheus')), formula, [])).toBe('DecidedByGateways');
    expect(code(by(trigger('prometheus')), formula, [])).toBeNull();
    expect(code(by(trigger('cpu')), null, [endpoint(1), endpoint(2)])).toBe('Ports');
    expect(code(by(trigger('cpu')), null, Array(1001).fill(endpoint(1)))).toBe('TooManyPods');
  });

  it('asks for nothing when all of it is silent, which what cannot be read is not', () => {
    const counts = (wanted: number) => ({ wanted, ready: wanted, starting: 0, draining: 0, failed: 0 });
    const idle = (wanted: number, minReplicas: number, ...triggers: ReturnType<typeof trigger>[]) =>
      isIdle({ ...by(...triggers), minReplicas, replicas: counts(wanted) }, null);
    expect(idle(1, 0, trigger('http', true), trigger('prometheus', false))).toBe(true);
    expect(idle(1, 0, trigger('prometheus', true))).toBe(false);
    expect(idle(1, 0, trigger('prometheus', null))).toBe(false);
    expect(idle(2, 0, trigger('prometheus', false))).toBe(false);
    expect(idle(1, 1, trigger('prometheus', false))).toBe(false);
    // cpu keeps nothing awake: one replica is all it asks for.
    expect([idle(1, 0, trigger('http', true), trigger('cpu', null)), idle(2, 0, trigger('cpu', null))]).toEqual([
      true,
      false,
    ]);
    const more = { minReplicas: 2, replicas: counts(2), ...by(trigger('prometheus', false)) };
    expect([0, null].map((idleReplicas) => isIdle(more, { idleReplicas, forceActivation: false }))).toEqual([
      true,
      false,
    ]);
    expect(
      isIdle({ ...more, minReplicas: 0, replicas: counts(1) }, { idleReplicas: null, forceActivation: true }),
    ).toBe(false);
  });
});
