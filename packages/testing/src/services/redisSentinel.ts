import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programs } from './installed.ts';
import { freePort, loopback } from './ports.ts';
import { RedisService, startRedis } from './redis.ts';
import { until } from './until.ts';
import { newServiceFolder } from './watchdog.ts';

const masterName = 'mymaster';

export interface RedisSentinelOptions {
  /** Password of the master. */
  readonly requirePass?: string;
  /** Password of the sentinel itself. */
  readonly sentinelPass?: string;
}

/** A master and one sentinel that watches it. */
export interface RedisSentinel {
  readonly master: RedisService;
  readonly sentinel: RedisService;
  readonly masterName: string;
  stop(): Promise<void>;
}

/** Starts a master and one sentinel that watches it under the name `mymaster`. */
export async function startRedisSentinel(options: RedisSentinelOptions = {}): Promise<RedisSentinel> {
  const { requirePass } = options;
  const running = [await startRedis(requirePass ? { requirePass } : {})];
  const stop = async () => {
    await Promise.all(running.map((service) => service.stop()));
  };
  try {
    const [master] = running as [RedisService];
    const sentinel = await startSentinel(master, options);
    running.push(sentinel);
    await until(async () => (await flagsOf(sentinel)) === 'master', {
      withinMs: 15_000,
      what: () => 'the sentinel reaching its master',
    });
    return { master, sentinel, masterName, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startSentinel(
  master: RedisService,
  { requirePass, sentinelPass }: RedisSentinelOptions,
): Promise<RedisService> {
  const folder = newServiceFolder('redis-sentinel');
  const port = await freePort();
  const lines = [
    `bind ${loopback}`,
    `port ${port}`,
    `dir ${folder}`,
    `sentinel monitor ${masterName} ${master.host} ${master.port} 1`,
    `sentinel down-after-milliseconds ${masterName} 1000`,
    ...(requirePass ? [`sentinel auth-pass ${masterName} ${JSON.stringify(requirePass)}`] : []),
    ...(sentinelPass ? [`requirepass ${JSON.stringify(sentinelPass)}`] : []),
  ];
  const path = join(folder, 'sentinel.conf');
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  const program = programs('redis')['redis-server'];
  const launch = { name: 'redis-sentinel', folder, port, program, args: [path, '--sentinel'] };
  return new RedisService(launch, sentinelPass ? { password: sentinelPass } : {}).start();
}

/** What the sentinel thinks of its master: `master`, and more words where something is wrong. */
async function flagsOf(sentinel: RedisService): Promise<string | undefined> {
  const lines = (await sentinel.cli(['sentinel', 'master', masterName])).split('\n');
  return lines[lines.indexOf('flags') + 1];
}
