import { defineScaler, type Settings } from '../contract/definition.ts';
import { integer, text } from '../contract/parameter.ts';
import type { Measure } from './measures.ts';
import { openRedis } from './openRedis.ts';
import { checkConnection, connectionParameters, placeOf, sentinelParameters } from './place.ts';

const parameters = {
  stream: text({ required: true, description: 'Key of the stream.' }),
  consumerGroup: text({
    description: 'Group whose pending entries or lag count; without it the length of the stream counts.',
  }),
  streamLength: integer({
    default: 5,
    moreThan: 0,
    description: 'Entries in the stream for each replica, without consumerGroup.',
  }),
  pendingEntriesCount: integer({
    default: 5,
    moreThan: 0,
    description:
      'Entries that were given out and not acknowledged for each replica, with consumerGroup and without lagCount.',
  }),
  lagCount: integer({
    min: 0,
    description: 'Entries that were not given out yet for each replica, with consumerGroup (Redis 7).',
  }),
  activationLagCount: integer({ default: 0, description: 'Active strictly above this value, whatever is counted.' }),
  ...connectionParameters,
};
type StreamSettings = Settings<typeof parameters>;

/** What is counted and what one replica is to have of it, by KEDA's rules: a lagCount of 0 is as if it were not given. */
export function measureAndTarget(settings: StreamSettings): { measure: Measure; target: number } {
  const { stream: key, consumerGroup: group, lagCount, pendingEntriesCount, streamLength } = settings;
  if (!group) return { measure: { kind: 'stream', key, group: '' }, target: streamLength };
  if (lagCount) return { measure: { kind: 'lag', key, group }, target: lagCount };
  return { measure: { kind: 'pending', key, group }, target: pendingEntriesCount };
}

const target = (settings: StreamSettings) => ({
  target: measureAndTarget(settings).target,
  activationTarget: settings.activationLagCount,
});
const metricName = ({ stream }: StreamSettings) => `redis-streams-${stream}`;

const notes = [
  'Without consumerGroup the length of the stream counts (XLEN), with it what was given out and not acknowledged (XPENDING), with lagCount what was not given out yet (XINFO GROUPS, Redis 7 or newer).',
  'XPENDING is 0 before the first consumer has read: to start from zero use lagCount or no consumerGroup.',
  'With lagCount a stream that does not exist is 0, and one whose group does not exist counts with its whole length. Without lagCount a missing group is an error.',
  'Where Redis cannot tell the lag because entries were deleted, the entries after the last one given out are counted, up to 100.',
  'activationLagCount applies to all three.',
];
const polling =
  'All streams of one server and account are read together, every 100 ms while a trigger is inactive and every second while it is active.';
const pushing = `For an empty stream and a lag of 0, Ebb waits for the next entry with XREAD BLOCK without a group on a connection of its own, asks at once then, and every 5 s besides. Otherwise: ${polling}`;
const rights =
  '`~STREAM +xlen`, `+xpending` or `+xinfo|groups`, and best `+xread +xrange +evalsha +eval`: without those it is polled with plain commands. No group is created and nothing is read for a group or acknowledged.';

/** Length, pending entries or lag of a stream on one Redis server. */
export const redisStreams = defineScaler({
  type: 'redis-streams',
  summary: 'Length, pending entries or lag of a Redis stream.',
  parameters,
  check: (settings, written) => checkConnection(settings, written),
  target: (settings) => target(settings),
  metricName: (settings) => metricName(settings),
  open: (settings, context) =>
    openRedis(placeOf('single', settings), measureAndTarget(settings).measure, settings.activationLagCount, context),
  example: `type: redis-streams
metadata:
  address: redis.example:6379
  stream: requests
  consumerGroup: workers
  lagCount: "5"`,
  documentation: { reaction: pushing, rights, notes: [...notes, 'Of several addresses the first is used.'] },
});

/** The same in a Redis Cluster. */
export const redisClusterStreams = defineScaler({
  type: 'redis-cluster-streams',
  summary: 'Length, pending entries or lag of a stream in a Redis Cluster.',
  parameters,
  check: (settings, written) => checkConnection(settings, written),
  target: (settings) => target(settings),
  metricName: (settings) => metricName(settings),
  open: (settings, context) =>
    openRedis(placeOf('cluster', settings), measureAndTarget(settings).measure, settings.activationLagCount, context),
  example: `type: redis-cluster-streams
metadata:
  addresses: node-1.example:6379,node-2.example:6379
  stream: requests
  streamLength: "20"`,
  documentation: { reaction: polling, rights, notes },
});

/** The same on the master that sentinels name. */
export const redisSentinelStreams = defineScaler({
  type: 'redis-sentinel-streams',
  summary: 'Length, pending entries or lag of a stream on the master that Redis Sentinel names.',
  parameters: { ...parameters, ...sentinelParameters },
  check: (settings, written) => checkConnection(settings, written),
  target: (settings) => target(settings),
  metricName: (settings) => metricName(settings),
  open: (settings, context) =>
    openRedis(placeOf('sentinel', settings), measureAndTarget(settings).measure, settings.activationLagCount, context),
  example: `type: redis-sentinel-streams
metadata:
  addresses: sentinel-1.example:26379
  sentinelMaster: mymaster
  stream: requests
  consumerGroup: workers
  pendingEntriesCount: "10"`,
  documentation: { reaction: pushing, rights, notes },
});
