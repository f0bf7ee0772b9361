import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { headerNameField } from '../fields/names.ts';
import { bytesField } from '../fields/quantity.ts';
import { rule } from '../fields/rule.ts';
import { formatBytes } from '../units/quantity.ts';
import { reportDuplicateRoutes, routeSchema } from './route.ts';

const timeoutsSchema = z.strictObject({
  hold: durationField(1).prefault('60s').meta({
    description: 'From the arrival of a request until a replica takes it; then it is answered 504.',
  }),
  response: durationField(1).prefault('300s').meta({
    description: 'From the hand-over to a replica until the head of its answer.',
  }),
  request: durationField().prefault('0s').meta({ description: 'The whole exchange; 0s: no limit.' }),
  idle: durationField().prefault('0s').meta({ description: 'Silence in either direction; 0s: no limit.' }),
});

const bufferSchema = z
  .strictObject({
    maxRequests: z
      .int()
      .min(0)
      .max(1_000_000)
      .prefault(1000)
      .meta({ description: 'Requests held at once; more are answered 503.' }),
    maxBodySize: bytesField()
      .prefault('10Mi')
      .meta({ description: 'Largest body of a request that is held; larger ones are answered 413.' }),
    maxTotalSize: bytesField().prefault('256Mi').meta({ description: 'All held bodies together.' }),
  })
  .check(
    rule(['maxBodySize', 'maxTotalSize'], ({ maxBodySize, maxTotalSize }, report) => {
      if (maxBodySize <= maxTotalSize) return;
      report(
        ['maxBodySize'],
        `maxBodySize ${formatBytes(maxBodySize)} is larger than maxTotalSize ${formatBytes(maxTotalSize)}`,
        {
          code: 'out-of-bounds',
          related: [['maxTotalSize']],
        },
      );
    }),
  );

const affinitySchema = z
  .strictObject({
    header: headerNameField()
      .optional()
      .meta({ description: 'Header whose value names the session.', examples: ['x-session'] }),
    cookie: headerNameField()
      .optional()
      .meta({ description: 'Cookie whose value names the session.', examples: ['session'] }),
  })
  .check(
    rule([], ({ header, cookie }, report) => {
      if ((header === undefined) !== (cookie === undefined)) return;
      const found = header === undefined ? 'neither' : 'both';
      report(header === undefined ? [] : ['cookie'], `affinity goes by one of header and cookie, found ${found}`, {
        code: 'one-of',
        ...(header === undefined ? {} : { related: [['header']] }),
      });
    }),
  );

/** A week, as long as a client's own deadline may be. */
const longestDeferralMs = 7 * 86_400_000;

const deferrableSchema = z.strictObject({
  maxDelay: durationField(1000, longestDeferralMs).prefault('24h').meta({
    description: 'The longest that a request may be deferred, whatever its `ebb-defer` says.',
  }),
  reserve: z
    .number()
    .min(0)
    .max(1)
    .prefault(0.1)
    .meta({
      description:
        "Share of a class's slots that deferrable requests leave free for others, rounded to whole slots; 1: they wait " +
        'for their deadline.',
    }),
  maxRequests: z.int().min(0).max(1_000_000).prefault(1000).meta({
    description: 'Deferrable requests that wait at once; more are answered 503.',
  }),
});

export const servingSchema = z.strictObject({
  routes: z
    .array(routeSchema)
    .check(rule(['*'], reportDuplicateRoutes))
    .optional()
    .meta({
      description:
        'Which requests come here; any match counts. Left out: the path /NAME, or /NAMESPACE/NAME outside the namespace ' +
        '`default`. An empty list: only requests with the header `x-ebb-workload`.',
    }),
  timeouts: timeoutsSchema.prefault({}).meta({ description: 'How long each part of a request may take.' }),
  buffer: bufferSchema.prefault({}).meta({ description: 'Bounds of what the gateway holds while no replica is free.' }),
  balancing: z.enum(['leastConnections', 'roundRobin', 'random']).prefault('leastConnections').meta({
    description: 'How a replica is picked among those with a free slot.',
  }),
  affinity: affinitySchema
    .optional()
    .meta({ description: 'Sends the requests of one session to one replica while it lives.' }),
  deferrable: deferrableSchema.optional().meta({
    description:
      'Lets requests with the header `ebb-defer: 10m` wait for slots that others leave free: they wake nothing and are ' +
      'no demand until their deadline is near. Left out: they are served as ordinary ones.',
  }),
  drain: durationField().prefault('30s').meta({ description: 'How long a draining replica may keep its requests.' }),
});
