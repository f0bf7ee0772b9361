import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore } from '@ebb/testing';
import {
  available,
  installKind,
  type KubernetesCluster,
  type RedisService,
  startKubernetes,
  startRedis,
  until,
} from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubernetesClient } from '../client/client.ts';
import { openCluster } from '../client/kubeConfig.ts';
import { type ExternalMetrics, startExternalMetrics } from '../fake/externalMetrics.fixture.ts';
import { half, machineClock } from '../fake/fakeCluster.fixture.ts';
import { applyRights, kubeconfigOfAccount } from '../fake/installedRights.fixture.ts';
import {
  createDeployment,
  installKeda,
  readDeployment,
  realTriggers,
  redisObject,
  scaledObjectsPath,
} from '../fake/kedaCluster.fixture.ts';
import { runOperator, type StartedOperator } from '../fake/operator.fixture.ts';
import { type InstallChoice, installManifests } from '../manifests/install.ts';
import { giveBack, takeOver } from './takeOver.ts';

const hpaPath = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
const scaledJobsPath = '/apis/keda.sh/v1alpha1/namespaces/default/scaledjobs';
const present = available('kubernetes') && available('redis');
const own = process.env.KUBECONFIG_DISPOSABLE === undefined;

interface Written {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: unknown;
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly requestURI: string;
  readonly responseStatus?: { readonly code?: number };
}

// What the API server saw is read from its audit log, which only an own cluster has.
describe.skipIf(!(present && own))('advice and hand-over on a real API server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-migration-'));
  const auditLog = join(folder, 'audit.log');
  let cluster: KubernetesCluster;
  let redis: RedisService;
  let metrics: ExternalMetrics;
  let running: StartedOperator;
  const clock = machineClock();

  beforeAll(async () => {
    const policy = join(folder, 'policy.yaml');
    writeFileSync(policy, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n');
    const apiServerFlags = [
      `--audit-policy-file=${policy}`,
      `--audit-log-path=${auditLog}`,
      '--audit-log-mode=blocking',
    ];
    [cluster, redis] = await Promise.all([startKubernetes({ apiServerFlags }), startRedis()]);
    await cluster.addNodes(4);
    await installKeda(cluster.api);
    await installKind(cluster.api, { group: 'keda.sh', kind: 'ScaledJob' });
    metrics = await startExternalMetrics(cluster.api);
  });
  afterAll(async () => {
    await running?.stop();
    clock.close();
    await metrics?.close();
    await redis?.stop();
    await cluster?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const within = (check: () => Promise<boolean> | boolean, what: string, withinMs = 120_000) =>
    until(check, { withinMs, what: () => `${what}\n${running?.log.slice(-20).join('\n')}` });
  const count = async (name: string) => (await readDeployment(cluster.api, name)).spec.replicas;
  const hpa = () => cluster.api.get<Written>(`${hpaPath}/site`);
  const written = async () => {
    const { metadata, spec } = await hpa();
    return { annotations: metadata.annotations ?? {}, spec };
  };
  const advice = (name: string) =>
    running.operator
      .leading()
      ?.advice()
      .find((one) => one.name === name);
  /** Every write, by its verb and path, of a user or of a controller. */
  const writes = (by: (event: AuditEvent) => boolean) =>
    readFileSync(auditLog, 'utf8')
      .split('\n')
      // Behind the last end of a line is what is being written.
      .slice(0, -1)
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter((event) => event.stage === 'ResponseComplete' && by(event))
      .filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
      .map(({ verb, requestURI, responseStatus }) => `${verb} ${requestURI.split('?')[0]} ${responseStatus?.code}`);
  const byOperator = ({ user }: AuditEvent) => user.username === 'system:serviceaccount:default:ebb';
  const byHpaController = ({ userAgent, requestURI }: AuditEvent) =>
    (userAgent ?? '').includes('horizontal-pod-autoscaler') && (requestURI.split('?')[0] ?? '').endsWith('/scale');

  /** The rights that an installation gives, in the namespace of the tests. */
  const install = (choice: InstallChoice) => {
    const manifests = installManifests({ namespace: 'default', withoutKinds: true, ...choice });
    return applyRights(
      cluster.api,
      manifests.filter(({ kind }) => kind !== 'Namespace'),
    );
  };

  it('advises beside a real HPA and a ScaledObject and writes nothing, takes over and gives back', async () => {
    const { api } = cluster;
    await createDeployment(api, 'site', 1);
    await createDeployment(api, 'queue', 0);
    await api.post(scaledObjectsPath, redisObject('queue', redis.address));
    metrics.set('requests', 10);
    const policies = [{ type: 'Pods', value: 100, periodSeconds: 15 }];
    await api.post(hpaPath, {
      metadata: { name: 'site', annotations: { 'ebb.dev/improvements': 'true', team: 'shop' } },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'site' },
        minReplicas: 1,
        maxReplicas: 8,
        metrics: [
          {
            type: 'External',
            external: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } },
          },
        ],
        behavior: { scaleUp: { policies }, scaleDown: { stabilizationWindowSeconds: 0, policies } },
      },
    });
    await install({ advice: 'true' });
    const kubeconfig = await kubeconfigOfAccount(cluster, 'default', 'ebb');
    const opened = await openCluster({ path: kubeconfig });
    const refusedWith = async (method: 'PUT' | 'POST' | 'DELETE', path: string, body: object) =>
      (await opened.transport.send({ method, path, body, timeoutMs: 10_000 })).status;
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'site', namespace: 'default' } };
    expect(
      await Promise.all([
        refusedWith('PUT', '/apis/apps/v1/namespaces/default/deployments/site/scale', {
          ...scale,
          spec: { replicas: 3 },
        }),
        refusedWith('DELETE', '/api/v1/namespaces/default/pods/any', {}),
        refusedWith('POST', '/apis/batch/v1/namespaces/default/jobs', { metadata: { name: 'any' } }),
        refusedWith('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 'any' } }),
        refusedWith('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'any' } }),
      ]),
    ).toEqual([403, 403, 403, 403, 403]);
    const refusals = writes(byOperator).length;
    const embedded = new MemoryStore();
    running = await runOperator({
      ...{ server: opened.server, identity: 'adviser', triggers: realTriggers, transport: opened.transport },
      ...{ leaseMs: 60_000, mode: 'advice', embedded },
    });
    await running.operator.ready;

    await within(() => advice('site') !== undefined && advice('queue') !== undefined, 'advice on both');
    // Jobs that Ebb would make beside those that another one makes.
    await redis.cli(['rpush', 'pictures', 'a', 'b', 'c']);
    // None of them comes to its end.
    const nodeSelector = { is: 'nowhere' };
    const template = {
      spec: { restartPolicy: 'Never', nodeSelector, containers: [{ name: 'main', image: 'resize' }] },
    };
    await api.post(scaledJobsPath, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledJob',
      metadata: { name: 'resize', annotations: { 'ebb.dev/improvements': 'true' } },
      spec: {
        jobTargetRef: { template },
        triggers: [{ type: 'redis', metadata: { address: redis.address, listName: 'pictures', listLength: '1' } }],
      },
    });
    await within(() => advice('resize')?.made?.advised === 3, 'three Jobs that Ebb would make');
    const jobs = '/apis/batch/v1/namespaces/default/jobs';
    const labels = { 'scaledjob.keda.sh/name': 'resize' };
    await api.post(jobs, { metadata: { name: 'by-keda', labels }, spec: { suspend: true, template } });
    await within(() => advice('resize')?.made?.actual === 1, 'the one Job that another one made');
    const made = async () => (await api.get<{ items: object[] }>(jobs)).items.length;
    expect(await made()).toBe(1);
    await redis.cli(['rpush', 'queue', ...Array.from({ length: 100 }, (_, index) => `m${index}`)]);
    await within(() => advice('queue')?.advised.ready === 10, 'ten imagined for the queue');
    metrics.set('requests', 30);
    await within(async () => (await count('site')) === 3, 'the HPA to scale to three');
    await within(() => advice('site')?.advised.wanted === 3 && advice('site')?.actual.ready === 3, 'advice of three');
    expect(await count('queue')).toBe(0);
    const seen = [...new Set(writes(byOperator).slice(refusals))];
    console.log(`writes of the operator in advice: ${seen.join(', ')}`);
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const configMap = '/api/v1/namespaces/default/configmaps/ebb-advice';
    const allowed = [
      `create ${leases} 201`,
      `update ${leases}/ebb 200`,
      `patch ${configMap} 201`,
      `patch ${configMap} 200`,
    ];
    expect(seen.filter((write) => !allowed.includes(write))).toEqual([]);

    const user = await openCluster({ path: cluster.kubeconfig });
    const client = new KubernetesClient({ transport: user.transport, clock, random: half });
    const options = {
      client,
      kind: null,
      namespace: 'default',
      name: 'site',
      lease: { namespace: 'default', name: 'ebb' },
    };
    // The pod that leads, as far as its account says what it may.
    await api.post('/api/v1/namespaces/default/pods', {
      metadata: { name: 'adviser' },
      spec: { serviceAccountName: 'ebb', containers: [{ name: 'operator', image: 'ebb' }] },
    });
    const untouched = await written();
    await expect(takeOver(options, { write: true })).rejects.toThrow('may not write the scale of Deployment/site');
    expect(await written()).toEqual(untouched);

    // In charge it needs the right to scale: the same operator, with all rights by now.
    await running.stop();
    await install({ advice: 'true', takeOver: 'true' });
    const full = await openCluster({ path: kubeconfig });
    running = await runOperator({
      ...{ server: full.server, identity: 'adviser', triggers: realTriggers, transport: full.transport },
      ...{ leaseMs: 60_000, mode: 'advice', embedded },
    });
    await running.operator.ready;
    await within(() => advice('site')?.advised.wanted === 3, 'advice again');
    // Three messages, and a Job of another one for the first of them.
    const ofJobs = { ...options, kind: 'ScaledJob' as const, name: 'resize' };
    const annotations = async () => (await api.get<Written>(`${scaledJobsPath}/resize`)).metadata.annotations;
    const untaken = await annotations();
    await takeOver(ofJobs, { write: true });
    expect(await annotations()).toMatchObject({ 'autoscaling.keda.sh/paused': 'true', 'ebb.dev/mode': 'control' });
    await within(async () => (await made()) === 3, 'the two Jobs that were missing');
    await giveBack(ofJobs, { write: true });
    expect(await annotations()).toEqual(untaken);
    await within(() => advice('resize') !== undefined, 'advice on Jobs again');
    await redis.cli(['rpush', 'pictures', 'd', 'e']);
    await within(() => (advice('resize')?.made?.advised ?? 0) >= 2, 'two Jobs more that Ebb would make');
    expect(await made()).toBe(3);

    const before = await written();
    await takeOver(options, { write: true });
    const scaledByHpa = writes(byHpaController).length;
    metrics.set('requests', 60);
    await within(async () => (await count('site')) === 6, 'Ebb to scale to six');
    metrics.set('requests', 200);
    await within(async () => (await count('site')) === 8, 'Ebb to keep to the maximum');
    expect(writes(byHpaController)).toHaveLength(scaledByHpa);
    // The command is killed after its first write: nobody scales, and the same command goes on.
    let puts = 0;
    const dying = {
      ...user.transport,
      send: (request: Parameters<typeof user.transport.send>[0]) =>
        request.method === 'PUT' && ++puts > 1 ? Promise.reject(new Error('killed')) : user.transport.send(request),
    };
    const killed = new KubernetesClient({ transport: dying, clock, random: half });
    await expect(giveBack({ ...options, client: killed }, { write: true })).rejects.toThrow('killed');
    expect((await written()).annotations).toMatchObject({ 'ebb.dev/mode': 'advice' });
    await within(() => advice('site') !== undefined, 'advice on what is on its way back');
    expect(await count('site')).toBe(8);
    await giveBack(options, { write: true });
    expect(await written()).toEqual(before);
    metrics.set('requests', 20);
    await within(async () => (await count('site')) === 2, 'the HPA to scale to two');
    expect(writes(byHpaController).length).toBeGreaterThan(scaledByHpa);
    await within(() => advice('site')?.actual.wanted === 2, 'advice to see it');
    user.transport.close();
  });
});
