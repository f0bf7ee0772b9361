import { expect, it, describe, afterAll, beforeAll } from 'vitest';
import { available, type RedisService, startRedis } from './index.ts';
import { describeServiceLife } from './serviceLife.fixture.ts';

describeServiceLife({
  service: 'redis',
  start: () => startRedis(),
  write: (redis) => redis.cli(['rpush', 'jobs', 'a', 'b', 'c']),
  read: (redis) => redis.cli(['lrange', 'jobs', '0', '-1']),
});

describe.runIf(available('redis'))('redis with passwords, users and TLS', () => {
  let redis: RedisService;

  beforeAll(async () => {
    redis = await startRedis({
      requirePass: 'two words',
      tls: 'mutual',
      notifyKeyspaceEvents: 'KEA',
      aclUsers: [{ name: 'reader', password: 'reader-secret', rules: '~jobs:* +llen' }],
    });
  });
  afterAll(() => redis?.stop());

  it('answers its own client over TLS and gives a URL to do so', async () => {
    expect(await redis.cli(['ping'])).toBe('PONG\n');
    expect(redis.url).toBe(`rediss://:two%20words@127.0.0.1:${redis.port}`);
  });

  it('sends keyspace events', async () => {
    expect(await redis.cli(['config', 'get', 'notify-keyspace-events'])).toContain('AKE');
  });

  it('holds a user to its rules', async () => {
    const reader = ['--user', 'reader', '--pass', 'reader-secret', '--no-auth-warning'];
    expect(await redis.cli([...reader, 'llen', 'jobs:1'])).toBe('0\n');
    await expect(redis.cli([...reader, 'lpush', 'jobs:1', 'x'])).rejects.toThrow('NOPERM');
  });

  it('turns away whoever has no password', async () => {
    await expect(redis.cli(['--user', 'default', '--pass', 'wrong', 'ping'])).rejects.toThrow('WRONGPASS');
  });
});
