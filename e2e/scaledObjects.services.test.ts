import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiObject, ScaledObjectStatus, SystemStatus, WorkloadStatus } from '@ebb/documents';
import { available, type RedisService, startRedis, until } from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ebb, type RunningEbb, startEbb } from './ebbCommand.ts';

/**
 * A list in a real Redis that asks for a password drives a Workload of a real Ebb through a ScaledObject, a
 * TriggerAuthentication and a Secret; and an HTTPScaledObject does through the gateway.
 */
const withinMs = 60_000;
const rightPassword = `right-${randomBytes(12).toString('hex')}`;
const wrongPassword = `wrong-${randomBytes(12).toString('hex')}`;
const coolDownMs = 1000;

const worker = `
import { createServer } from 'node:http';
createServer((request, response) => response.end('served ' + request.headers.host)).listen(Number(process.env.PORT), '127.0.0.1');
`;

const workload = (name: string, minReplicas: number) => `
apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: ${name} }
spec:
  classes: [{ name: default, command: [node, worker.mjs], port: auto }]
  scaling: { minReplicas: ${minReplicas}, maxReplicas: 2 }
`;

const secret = (password: string) => `
apiVersion: v1
kind: Secret
metadata: { name: redis }
stringData: { password: "${password}" }
`;

const authentication = `
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: redis }
spec:
  secretTargetRef: [{ parameter: password, name: redis, key: password }]
`;

const scaledObject = (address: string, { annotations = '{}', pollingInterval = 30 } = {}) => `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: worker-scaler, annotations: ${annotations} }
spec:
  scaleTargetRef: { name: worker }
  pollingInterval: ${pollingInterval}
  cooldownPeriod: ${coolDownMs / 1000}
  minReplicaCount: 0
  maxReplicaCount: 5
  triggers:
    - type: redis
      name: work
      metadata: { address: "${address}", listName: work, listLength: "2" }
      authenticationRef: { name: redis }
`;
const reactive = { annotations: '{ ebb.dev/improvements: "true" }' };

let redis: RedisService;
let running: RunningEbb;
let folder: string;

async function api<Answer>(path: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${running.token}` };
  const response = await fetch(`${running.apiUrl}/api/v1/${path}`, { headers });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

const statusOf = (name: string) => api<WorkloadStatus>(`namespaces/default/workloads/${name}/status`);

async function readyOf(): Promise<{ status: string; reason: string; message: string }> {
  const { status } = await api<ApiObject & { status: ScaledObjectStatus }>(
    'namespaces/default/scaledobjects/worker-scaler',
  );
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  if (!ready) throw new Error('no condition Ready');
  return ready;
}

async function apply(name: string, ...documents: string[]): Promise<void> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, documents.join('---\n'));
  const result = await ebb(['apply', '-f', file, '--data', running.data]);
  expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
  // What was printed is as public as a log.
  expect(result.stdout + result.stderr).not.toMatch(/(right|wrong)-[0-9a-f]{24}/);
}

const push = (count: number) => redis.cli(['RPUSH', 'work', ...Array.from({ length: count }, String)]);
const empty = () => redis.cli(['DEL', 'work']);

async function untilReplicas(count: number, name = 'worker', limitMs = withinMs): Promise<void> {
  let found = '';
  const check = async () => {
    const { replicas, scaledBy } = await statusOf(name);
    found = JSON.stringify({ replicas, triggers: scaledBy?.triggers });
    return replicas.wanted === count && replicas.ready === count && replicas.starting + replicas.draining === 0;
  };
  await until(check, { withinMs: limitMs, what: () => `${count} replicas of ${name} (found ${found})` });
}

async function untilReady(status: 'True' | 'False'): Promise<{ reason: string; message: string }> {
  let found = { status: '', reason: '', message: '' };
  const check = async () => (found = await readyOf()).status === status;
  await until(check, { withinMs, what: () => `Ready ${status} (found ${JSON.stringify(found)})` });
  return found;
}

/** On the control plane's own clock; all the while the count may not move. */
async function holdsFor(durationMs: number, count: number): Promise<void> {
  const { at: beganMs } = await api<SystemStatus>('status');
  const counts = new Set<number>();
  const check = async () => {
    const { wanted, ready } = (await statusOf('worker')).replicas;
    counts.add(wanted).add(ready);
    return (await api<SystemStatus>('status')).at >= beganMs + durationMs;
  };
  await until(check, { withinMs, what: () => `${durationMs} ms` });
  expect([...counts]).toEqual([count]);
}

function get(host: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(running.gatewayUrl);
  const sent = request({ hostname, port, path: '/', headers: { host } });
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.end();
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-scaled-'));
  writeFileSync(join(folder, 'worker.mjs'), worker);
  running = await startEbb([]);
});

afterAll(async () => {
  await running?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.runIf(available('redis'))('a ScaledObject that signs in', () => {
  beforeAll(async () => {
    redis = await startRedis({ requirePass: rightPassword });
    await apply(
      'all',
      workload('worker', 1),
      secret(rightPassword),
      authentication,
      scaledObject(redis.address, reactive),
    );
  });

  afterAll(() => redis?.stop());

  it('drives the Workload from zero by the length of the list', async () => {
    await untilReplicas(0);
    await untilReady('True');
    await push(5);
    await untilReplicas(3);
    await empty();
    await untilReplicas(0);
  });

  it('says so when the password is wrong, holds the capacity, and goes on once it is right', async () => {
    const before = await api<SystemStatus>('status');
    await push(4);
    await untilReplicas(2);
    await apply('secret', secret(wrongPassword));
    const { reason, message } = await untilReady('False');
    expect(reason).toBe('TriggerFailing');
    expect(message).toMatch(/work \(redis\).*(password|sign-in|WRONGPASS)/i);
    // Nothing is read any more: that the list is empty now is not known.
    await empty();
    await holdsFor(3 * coolDownMs, 2);
    await apply('secret', secret(rightPassword));
    await untilReady('True');
    await untilReplicas(0);
    const after = await api<SystemStatus>('status');
    expect(after.startedAt).toBe(before.startedAt);
  });

  it('holds the capacity while the broker is away', async () => {
    await push(4);
    await untilReplicas(2);
    await redis.kill();
    expect(await untilReady('False')).toMatchObject({ reason: 'TriggerFailing' });
    await holdsFor(3 * coolDownMs, 2);
    await redis.start();
    await untilReady('True');
    await holdsFor(coolDownMs, 2);
    await empty();
    await untilReplicas(0);
  });

  it('without the annotation polls and scales as KEDA and the HPA do', async () => {
    await apply('exact', scaledObject(redis.address, { pollingInterval: 1 }));
    await push(5);
    // The poll brings one, then the HPA's sync the others. (The interval of 30 s that was in force before is over.)
    await untilReplicas(3, 'worker', 25_000);
    expect((await statusOf('worker')).scaledBy).toMatchObject({ mode: 'exact' });
    const { stdout } = await ebb(['journal', 'export', 'worker', '--data', running.data]);
    expect(stdout).toContain('keda-activates');
    await empty();
    await untilReplicas(0);
  });

  it('that is deleted leaves the Workload to its own document', async () => {
    expect((await ebb(['delete', 'scaledobject', 'worker-scaler', '--data', running.data])).code).toBe(0);
    await untilReplicas(1);
    expect(await statusOf('worker')).toMatchObject({ scaledBy: null, minReplicas: 1, maxReplicas: 2 });
    await push(8);
    await holdsFor(coolDownMs, 1);
  });

  it('leaves no password in any output or file', async () => {
    const outputs = await Promise.all([
      ebb(['get', 'secret', 'redis', '--data', running.data]),
      ebb(['get', 'secret', 'redis', '-o', 'yaml', '--data', running.data]),
      ebb(['get', 'secret', 'redis', '-o', 'json', '--data', running.data]),
      ebb(['explain', 'worker', '--data', running.data]),
      ebb(['logs', 'worker', '--data', running.data]),
      ebb(['journal', 'export', '--data', running.data]),
    ]);
    for (const { code, stdout, stderr } of outputs) {
      expect(code, stderr).toBe(0);
      expect(passwordsIn(Buffer.from(stdout + stderr))).toEqual([]);
    }
    expect(outputs[1]?.stdout).toContain('password');
    expect(outputs[5]?.stdout).toContain('worker');
    const files = readdirSync(running.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const names = files.map(({ parentPath, name }) => join(parentPath, name));
    expect(names.some((name) => name.endsWith('.db'))).toBe(true);
    expect(names.filter((name) => passwordsIn(readFileSync(name)).length > 0)).toEqual([]);
  });
});

/** Which of both are in there, as they are or in base64, however its groups of three fall. */
function passwordsIn(bytes: Buffer): string[] {
  return [rightPassword, wrongPassword].filter((password) => formsOf(password).some((form) => bytes.includes(form)));
}

function formsOf(password: string): string[] {
  const encoded = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(password)]).toString('base64');
    // What stands at the ends depends on its neighbours.
    return text.slice(4, -4);
  });
  return [password, ...encoded];
}

it('an HTTPScaledObject brings a replica for a request to its host, and takes it away afterwards', async () => {
  await apply(
    'web',
    workload('web', 0),
    `
apiVersion: http.keda.sh/v1alpha1
kind: HTTPScaledObject
metadata: { name: web-http, annotations: { ebb.dev/improvements: "true" } }
spec:
  hosts: [web.example.test]
  scaleTargetRef: { name: web, service: web, port: 80 }
  replicas: { min: 0, max: 2 }
  scaledownPeriod: 1
  scalingMetric: { concurrency: { targetValue: 1 } }
`,
  );
  await untilReplicas(0, 'web');
  expect((await statusOf('web')).scaledBy).toMatchObject({ name: 'web-http', mode: 'reactive' });
  expect(await get('web.example.test')).toMatchObject({ status: 200, body: 'served web.example.test' });
  const isCounted = async () => (await statusOf('web')).requests.succeeded === 1;
  await until(isCounted, { withinMs, what: () => 'a request that is counted' });
  expect((await statusOf('web')).requests).toMatchObject({ total: 1, held: 1 });
  await untilReplicas(0, 'web');
  expect((await get('other.example.test')).status).toBe(404);
  expect((await statusOf('web')).replicas).toMatchObject({ wanted: 0 });
});
