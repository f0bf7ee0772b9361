import {
  available,
  type KubernetesCluster,
  type RedisService,
  startKubernetes,
  startRedis,
  until,
} from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createDeployment,
  installKeda,
  readDeployment,
  redisObject,
  scaledObjectsPath,
} from '../../kubernetes/src/fake/kedaCluster.fixture.ts';
import { type ClusterOperator, startClusterOperator } from './clusterOperator.ts';
import { newSchema, onePostgres } from './store/postgres/postgresStore.fixture.ts';
import type { PostgresStoreSettings } from './store/postgres/settings.ts';

const present = available('kubernetes') && available('redis') && available('postgres');

describe.skipIf(!present)('operators that share a database', () => {
  let cluster: KubernetesCluster;
  let redis: RedisService;
  const postgres = onePostgres();
  const started: ClusterOperator[] = [];
  const said: string[] = [];

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([startKubernetes(), startRedis()]);
    await cluster.addNodes(4);
    await installKeda(cluster.api);
  });
  afterEach(async () => {
    for (const one of started.splice(0)) await one.stop();
  });
  afterAll(async () => {
    await redis?.stop();
    await cluster?.close();
  });

  async function start(name: string, store: PostgresStoreSettings): Promise<ClusterOperator> {
    const operator = await startClusterOperator({
      kubeconfig: cluster.kubeconfig,
      namespace: null,
      lease: { namespace: 'default', name: 'ebb' },
      nodePools: null,
      dataDirectory: '/nowhere',
      store,
      health: { host: '127.0.0.1', port: 0 },
      log: (level, message, data) => said.push(`${name} ${level} ${message} ${JSON.stringify(data)}`),
    });
    started.push(operator);
    return operator;
  }
  const within = (check: () => Promise<boolean> | boolean, what: string) =>
    until(check, { withinMs: 120_000, what: () => `${what}\n${said.slice(-40).join('\n')}` });
  const hasReady = async (count: number) => {
    const { spec, status } = await readDeployment(cluster.api, 'orders');
    return spec.replicas === count && (status.readyReplicas ?? 0) === count && (status.replicas ?? 0) === count;
  };
  const push = (count: number) => redis.cli(['rpush', 'orders', ...Array.from({ length: count }, () => 'm')]);
  const healthOf = async ({ healthUrl }: ClusterOperator) => {
    const answer = await fetch(`${healthUrl}/healthz`);
    return `${answer.status} ${await answer.text()}`;
  };

  it('go on deciding while it is away, and for one another with one ledger and one journal', async () => {
    const settings = newSchema(postgres());
    const rows = (sql: string) => postgres().sql(sql.replaceAll('ebb.', `"${settings.schema}".`));
    const open = async () =>
      (await rows('select replica from ebb.ledger where to_ms is null order by 1')).trim().split('\n');
    const first = await start('first', settings);
    await first.ready;
    const second = await start('second', settings);
    expect(await healthOf(second)).toBe('200 ok\n');

    await createDeployment(cluster.api, 'orders', 0);
    await cluster.api.post(scaledObjectsPath, redisObject('orders', redis.address));
    await push(25);
    await within(() => hasReady(3), 'three replicas');
    await within(async () => (await open()).length === 3, 'three rows of the ledger');

    await postgres().kill();
    await push(20);
    await within(() => hasReady(5), 'five replicas while the store is away');
    await within(
      async () => /^200 ok\nthe store is away for \d+ s: postgresql /.test(await healthOf(first)),
      'the news',
    );
    await postgres().restart();
    await within(async () => (await open()).length === 5, 'five rows of the ledger');
    await within(async () => (await healthOf(first)) === '200 ok\n', 'all well');
    const before = await open();

    await started.splice(0, 1)[0]?.stop();
    await second.ready;
    await push(25);
    await within(() => hasReady(7), 'seven replicas by the second');
    await within(async () => (await open()).length === 7, 'seven rows of the ledger');
    // The same pods are the same replicas.
    expect(await open()).toEqual(expect.arrayContaining(before));
    expect(await rows('select count(*) from ebb.ledger')).toBe('7\n');
    await started.splice(0, 1)[0]?.stop();
    expect(await rows('select epoch from ebb.leader')).toBe('2\n');
    expect(await rows('select count(*) - max(sequence) from ebb.journal')).toBe('0\n');
    expect(await rows(`select count(*) from ebb.journal where kind = 'decision'`)).not.toBe('0\n');
    const told = said.join('\n');
    expect(told).toContain('the store is away; decisions go on');
    expect(told).toContain('the store is back');
    expect(told).not.toContain(settings.address.password);
  });
});
