import { afterEach, describe, expect, it } from 'vitest';
import { available, isListening, startRedisCluster, startRedisSentinel } from './index.ts';

describe.runIf(available('redis'))('redis in its other topologies', () => {
  let stop: (() => Promise<void>) | undefined;
  afterEach(() => stop?.());

  it('is a cluster whose keys live on different masters', async () => {
    const cluster = await startRedisCluster({ requirePass: 'secret' });
    stop = cluster.stop;
    expect(cluster.addresses.split(',')).toHaveLength(3);
    const [first] = cluster.nodes;
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) await cluster.cli(['rpush', key, 'x']);
    expect(await cluster.cli(['llen', 'f'])).toBe('1\n');
    const keysOfEach = await Promise.all(cluster.nodes.map(async (node) => Number(await node.cli(['dbsize']))));
    expect(keysOfEach.reduce((sum, keys) => sum + keys, 0)).toBe(6);
    expect(Math.max(...keysOfEach)).toBeLessThan(6);
    await cluster.stop();
    expect(await isListening(first?.port ?? 0)).toBe(false);
  });

  it('is a master that a sentinel names, and misses when it is gone', async () => {
    const {
      master,
      sentinel,
      masterName,
      stop: stopBoth,
    } = await startRedisSentinel({
      requirePass: 'master-secret',
      sentinelPass: 'sentinel-secret',
    });
    stop = stopBoth;
    const answer = await sentinel.cli(['sentinel', 'get-master-addr-by-name', masterName]);
    expect(answer.trim().split('\n')).toEqual([master.host, `${master.port}`]);
    await master.kill();
    await expect.poll(() => sentinel.cli(['sentinel', 'master', masterName]), { timeout: 60_000 }).toContain('o_down');
  });
});
