import { defineScaler, type Settings } from '../contract/definition.ts';
import { integer, text } from '../contract/parameter.ts';
import { openRedis } from './openRedis.ts';
import { checkConnection, connectionParameters, placeOf, sentinelParameters } from './place.ts';

const parameters = {
  listName: text({ required: true, description: 'Key of the list, set, sorted set or hash.' }),
  listLength: integer({ default: 5, moreThan: 0, description: 'Entries for each replica.' }),
  activationListLength: integer({ default: 0, description: 'Active strictly above this length.' }),
  ...connectionParameters,
};
type ListSettings = Settings<typeof parameters>;

const target = ({ listLength, activationListLength }: ListSettings) => ({
  target: listLength,
  activationTarget: activationListLength,
});
const metricName = ({ listName }: ListSettings) => `redis-${listName}`;
const measureOf = ({ listName }: ListSettings) => ({ kind: 'length', key: listName, group: '' }) as const;

const rights =
  'Best: `~KEY +type +llen +scard +zcard +hlen +evalsha +eval +config|get +subscribe &__keyspace@*`. Without scripts, CONFIG GET or SUBSCRIBE it is polled with plain commands; at the very least the command for the type of the key, such as `+llen`. Nothing is written and no setting is changed.';
const notes = [
  'The type of the key decides: length of a list, members of a set or sorted set, fields of a hash. A missing key is 0, any other type is an error.',
  'All keys of one server and account are read with one script that only reads; it is loaded into the script cache of the server, as KEDA does.',
];
const polling =
  'All keys of one server and account are read together, every 100 ms while a trigger is inactive and every second while it is active.';
const pushing = `Where the server already sends keyspace notifications (notify-keyspace-events with K and A, or K and glszh), Ebb listens to the keys that are empty and asks at once, and every 5 s besides. Otherwise: ${polling}`;

/** Length of a list, set, sorted set or hash on one Redis server. */
export const redis = defineScaler({
  type: 'redis',
  summary: 'Length of a Redis list, set, sorted set or hash.',
  parameters,
  check: (settings, written) => checkConnection(settings, written),
  target: (settings) => target(settings),
  metricName: (settings) => metricName(settings),
  open: (settings, context) =>
    openRedis(placeOf('single', settings), measureOf(settings), settings.activationListLength, context),
  example: `type: redis
metadata:
  address: redis.example:6379
  listName: jobs
  listLength: "10"
  passwordFromEnv: REDIS_PASSWORD`,
  documentation: { reaction: pushing, rights, notes: [...notes, 'Of several addresses the first is used.'] },
});

/** The same in a Redis Cluster. */
export const redisCluster = defineScaler({
  type: 'redis-cluster',
  summary: 'Length of a list, set, sorted set or hash in a Redis Cluster.',
  parameters,
  check: (settings, written) => checkConnection(settings, written),
  target: (settings) => target(settings),
  metricName: (settings) => metricName(settings),
  open: (settings, context) =>
    openRedis(placeOf('cluster', settings), measureOf(settings), settings.activationListLength, context),
  example: `type: redis-cluster
metadata:
  addresses: node-1.example:6379,node-2.example:6379
  listName: jobs
  listLength: "10"`,
  documentation: {
    reaction: `${polling} The keys of one node share a packet; with very many keys the rounds are stretched so that they take less than 4 % of a core.`,
    rights:
      '`~KEY +llen +scard +zcard +hlen +cluster|slots` (only the commands for the types in use). Nothing is written.',
    notes: [
      ...notes.slice(0, 1),
      'databaseIndex has no meaning in a cluster.',
      'The addresses are where the nodes are asked for; all others are found from there.',
    ],
  },
});

/** The same on the master that sentinels name. */
export const redisSentinel = defineScaler({
  type: 'redis-sentinel',
  summary: 'Length of a list, set, sorted set or hash on the master that Redis Sentinel names.',
  parameters: { ...parameters, ...sentinelParameters },
  check: (settings, written) => checkConnection(settings, written),
  target: (settings) => target(settings),
  metricName: (settings) => metricName(settings),
  open: (settings, context) =>
    openRedis(placeOf('sentinel', settings), measureOf(settings), settings.activationListLength, context),
  example: `type: redis-sentinel
metadata:
  addresses: sentinel-1.example:26379,sentinel-2.example:26379
  sentinelMaster: mymaster
  listName: jobs
  listLength: "10"`,
  documentation: {
    reaction: pushing,
    rights,
    notes: [...notes, 'The addresses are those of the sentinels; after a failover the new master is asked.'],
  },
});
