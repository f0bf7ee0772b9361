import { describe, expect, it } from 'vitest';
import type { AnyScaler } from '../contract/definition.ts';
import { readSettings } from '../contract/readSettings.ts';
import { tellsChanges } from './keyspaceNews.ts';
import { redis, redisCluster, redisSentinel } from './lists.ts';
import { countedEntries, lagOf, measured, scriptAnswer, scriptArguments } from './measures.ts';
import { placeOf, whereOf } from './place.ts';
import { redisError } from './redisErrors.ts';
import { redisSentinelStreams, redisStreams } from './streams.ts';

function read(
  definition: AnyScaler,
  metadata: Record<string, string>,
  auth: Record<string, string> | null = {},
  env: Record<string, string> = {},
) {
  const { settings, problems } = readSettings(definition.parameters, { metadata, auth, env });
  const found = problems.length > 0 ? problems : (definition.check?.(settings, { metadata, auth }) ?? []);
  return { settings, faults: found.map(({ parameter }) => parameter) };
}

const listAt = (more: Record<string, string>) => ({ listName: 'jobs', ...more });

describe('settings of the redis family', () => {
  it.each<[Record<string, string>, string, Record<string, string>?]>([
    [{ address: 'h:1' }, 'h:1'],
    [{ addresses: 'a:1, b:2' }, 'a:1,b:2'],
    [{ host: 'h', port: '6379' }, 'h:6379'],
    [{ hosts: 'a,b', ports: '1,2' }, 'a:1,b:2'],
    [{ address: 'x:9', hosts: 'a', ports: '1' }, 'x:9,a:1'],
    [{ address: '[::1]:6379' }, '[::1]:6379'],
    [{ hosts: '::1', ports: '6379' }, '[::1]:6379'],
    [{ addressFromEnv: 'A' }, 'e:7'],
    [{}, 'auth:1', { address: 'auth:1' }],
  ])('%o is %s', (metadata, where, auth) => {
    const { settings, faults } = read(redisCluster, listAt(metadata), auth, { A: 'e:7' });
    expect(faults).toEqual([]);
    expect(whereOf(placeOf('cluster', settings as Parameters<typeof placeOf>[1]))).toBe(where);
  });

  it.each<[string, AnyScaler, Record<string, string>, Record<string, string>?]>([
    ['listName', redis, { address: 'h:1' }],
    ['address', redis, listAt({})],
    ['address', redis, listAt({ host: 'h' })],
    ['address', redis, listAt({ address: 'redis://user:pw@h:1' })],
    ['address', redis, listAt({ address: 'h' })],
    ['port', redis, listAt({ hosts: 'a,b', ports: '1' })],
    ['listLength', redis, listAt({ address: 'h:1', listLength: '0' })],
    ['databaseIndex', redis, listAt({ address: 'h:1', databaseIndex: 'x' })],
    ['enableTLS', redis, listAt({ address: 'h:1', enableTLS: 'true' }), { tls: 'enable' }],
    ['key', redis, listAt({ address: 'h:1' }), { cert: 'c' }],
    ['sentinelMaster', redisSentinel, listAt({ address: 'h:1' })],
    ['sentinelMaster', redisSentinelStreams, { stream: 's', address: 'h:1' }],
    ['stream', redisStreams, { address: 'h:1' }],
    ['lagCount', redisStreams, { address: 'h:1', stream: 's', lagCount: 'AA' }],
  ])('%s is at fault', (parameter, definition, metadata, auth) => {
    expect(read(definition, metadata, auth).faults).toEqual([parameter]);
  });

  it('does not miss what the authentication or the environment may give, and shows no password', () => {
    expect(read(redis, listAt({}), null).faults).toEqual([]);
    expect(read(redis, listAt({ addressFromEnv: 'A' }), {}).faults).toEqual([]);
    const { settings } = read(redis, listAt({ address: 'redis://user:pw@h:1' }));
    const [problem] = redis.check?.(settings, { metadata: {}, auth: {} }) ?? [];
    expect(problem?.message).not.toContain('pw');
  });

  it.each([
    [{}, 5],
    [{ streamLength: '7', pendingEntriesCount: '8', lagCount: '9' }, 7],
    [{ consumerGroup: 'g' }, 5],
    [{ consumerGroup: 'g', pendingEntriesCount: '8' }, 8],
    [{ consumerGroup: 'g', pendingEntriesCount: '8', lagCount: '9' }, 9],
    [{ consumerGroup: 'g', pendingEntriesCount: '8', lagCount: '0' }, 8],
  ])('a stream with %o aims at %d', (metadata: Record<string, string>, target) => {
    const { settings } = read(redisStreams, { address: 'h:1', stream: 's', activationLagCount: '3', ...metadata });
    expect(redisStreams.target(settings)).toEqual({ target, activationTarget: 3 });
    expect(redisStreams.metricName(settings)).toBe('redis-streams-s');
  });

  it('aims at 5 entries of a list by default', () => {
    const { settings } = read(redis, listAt({ address: 'h:1' }));
    expect(redis.target(settings)).toEqual({ target: 5, activationTarget: 0 });
    expect(redis.metricName(settings)).toBe('redis-jobs');
  });
});

describe('answers of Redis', () => {
  const lag = { kind: 'lag', key: 's', group: 'g' } as const;

  it('asks for all measures with one call', () => {
    const measures = [
      { kind: 'length', key: 'a', group: '' },
      lag,
      { kind: 'stream', key: 'b', group: '' },
      { kind: 'pending', key: 'c', group: 'h' },
    ] as const;
    expect(scriptArguments(measures)).toEqual({ keys: ['a', 's', 'b', 'c'], args: ['lgsp', 'g', 'h'] });
  });

  it('knows from where on entries are news only where there are none', () => {
    expect(scriptAnswer(lag, [0, '5-1', 0])).toEqual({ value: 0, afterId: '5-1' });
    expect(scriptAnswer(lag, [3, '5-1', 0])).toEqual({ value: 3 });
    expect(scriptAnswer(lag, 0)).toEqual({ value: 0, afterId: '0-0' });
    expect(measured({ kind: 'length', key: 'a', group: '' }, 0)).toEqual({ value: 0 });
    expect(lagOf(countedEntries, '1-1', true).message).toContain('at least 100');
    expect(scriptAnswer(lag, 'NOGROUP no such group')).toBeInstanceOf(Error);
    expect(scriptAnswer(lag, null)).toBeInstanceOf(Error);
  });

  it.each([
    ['WRONGPASS invalid username-password pair or user is disabled.', 'unauthorized'],
    ['NOAUTH Authentication required.', 'unauthorized'],
    ["NOPERM this user has no permissions to run the 'llen' command", 'unauthorized'],
    ["NOGROUP No such key 's' or consumer group 'g'", 'not-found'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'bad-answer'],
    ['LOADING Redis is loading the dataset in memory', 'unreachable'],
    ['MOVED 3999 127.0.0.1:6381', 'bad-setting'],
    ['All sentinels are unreachable and retry is disabled. Last error: WRONGPASS invalid', 'unauthorized'],
    ['All sentinels are unreachable and retry is disabled. Last error: Connection is closed.', 'unreachable'],
  ])('%s is %s', (message, code) => expect(redisError(new Error(message), 'h:1')).toMatchObject({ code }));

  it.each([
    ['', false],
    ['KEA', true],
    ['AK', true],
    ['EA', false],
    ['Kg', false],
    ['Kglszh', true],
  ])('notifications "%s" are enough: %s', (flags, isEnough) => expect(tellsChanges(flags)).toBe(isEnough));
});
