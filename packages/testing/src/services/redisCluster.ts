import { freePort } from './ports.ts';
import { type RedisService, startRedis } from './redis.ts';
import { until } from './until.ts';

const masterCount = 3;
const hashSlots = 16_384;

/** A Redis Cluster of three masters that own all hash slots. */
export interface RedisCluster {
  readonly nodes: readonly RedisService[];
  /** `host:port` of every node, with commas between. */
  readonly addresses: string;
  /** redis-cli that follows redirections to the node that owns the key. */
  cli(args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

interface Master {
  readonly node: RedisService;
  readonly busPort: number;
}

/** Starts three masters and waits until all of them agree that the cluster serves every key. */
export async function startRedisCluster(options: { readonly requirePass?: string } = {}): Promise<RedisCluster> {
  const masters: Master[] = [];
  const stop = async () => {
    await Promise.all(masters.map(({ node }) => node.stop()));
  };
  try {
    for (let index = 0; index < masterCount; index++) masters.push(await startMaster(options));
    await introduce(masters);
  } catch (error) {
    await stop();
    throw error;
  }
  const nodes = masters.map(({ node }) => node);
  return {
    nodes,
    addresses: nodes.map((node) => node.address).join(','),
    cli: (args) => (nodes[0] as RedisService).cli(['-c', ...args]),
    stop,
  };
}

async function startMaster(options: { readonly requirePass?: string }): Promise<Master> {
  const busPort = await freePort();
  const config = ['cluster-enabled yes', `cluster-port ${busPort}`, 'cluster-node-timeout 2000'];
  return { node: await startRedis({ ...options, config }), busPort };
}

/** Gives every master its share of the slots and makes them known to each other. */
async function introduce(masters: readonly Master[]): Promise<void> {
  const share = Math.ceil(hashSlots / masters.length);
  for (const [index, { node, busPort }] of masters.entries()) {
    const last = Math.min((index + 1) * share, hashSlots) - 1;
    await node.cli(['cluster', 'addslotsrange', `${index * share}`, `${last}`]);
    // Masters with the same epoch would first have to settle a conflict.
    await node.cli(['cluster', 'set-config-epoch', `${index + 1}`]);
    if (index > 0) await masters[0]?.node.cli(['cluster', 'meet', node.host, `${node.port}`, `${busPort}`]);
  }
  const agreed = async () => {
    const states = await Promise.all(masters.map(({ node }) => node.cli(['cluster', 'info'])));
    return states.every((state) => state.includes('cluster_state:ok') && state.includes(`cluster_size:${masterCount}`));
  };
  await until(agreed, { withinMs: 30_000, what: () => 'the agreement of the Redis Cluster' });
}
