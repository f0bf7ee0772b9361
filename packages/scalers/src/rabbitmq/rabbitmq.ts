import type { PodIdentity } from '../auth/authentication.ts';
import { cacheKey } from '../auth/cacheKey.ts';
import { azureScope, azureWorkloadToken } from '../auth/cloud/azure.ts';
import type { CloudToken } from '../auth/cloud/cloudAccess.ts';
import { openOAuthToken } from '../auth/oauthToken.ts';
import { defineScaler } from '../contract/definition.ts';
import type { ScalerContext, TriggerSource } from '../contract/source.ts';
import { type HttpRequest, openHttp } from '../runtime/http.ts';
import { newsOnly } from '../runtime/newsOnly.ts';
import { untilAborted } from '../runtime/untilAborted.ts';
import { amqpAddress, managementAddress, protocolOf } from './address.ts';
import { AmqpBroker } from './amqpBroker.ts';
import { ManagementApi, type QueueQuestion } from './managementApi.ts';
import { compose, emptyQueue, type QueueStatus, readingOf } from './queueStatus.ts';
import { check, modeAndValue, parameters, type RabbitMqSettings } from './settings.ts';

/** Messages or rates of a RabbitMQ queue, over AMQP or by the management plugin. */
export const rabbitmq = defineScaler({
  type: 'rabbitmq',
  summary: 'Messages in a RabbitMQ queue, or their rates.',
  parameters,
  check,
  target: (settings) => ({ target: modeAndValue(settings).value, activationTarget: settings.activationValue }),
  metricName: ({ queueName }) => `rabbitmq-${queryEscape(queueName)}`,
  identities: ['azure-workload'],
  open(settings, context, { identity = null }) {
    return protocolOf(settings.host, settings.protocol) === 'amqp'
      ? openAmqp(settings, context)
      : openHttpSource(settings, context, identity);
  },
  example: `type: rabbitmq
metadata:
  queueName: tasks
  hostFromEnv: RABBITMQ_URL
  mode: QueueLength
  value: "1"`,
  documentation: {
    reaction:
      'RabbitMQ tells nobody of new messages without giving them out, so Ebb asks. Over AMQP all queues of an account share one connection and are asked together every 100 ms while a trigger is inactive (every second while it is active); with many queues the rounds are stretched to at most 800 questions a second, so that 1,000 queues take 1.25 seconds a round and about 4 % of a core. Over http all queues of a virtual host are read with one call, at most twice a second.',
    rights:
      'AMQP: a user with access to the virtual host; no permission to configure, write or read is needed, because a passive declare needs none. http: a user with the tag `management` (or `monitoring`) and access to the virtual host. Nothing is consumed, acknowledged or changed.',
    notes: [
      'Over AMQP the length is that of ready messages; over http unacknowledged ones are counted too, unless excludeUnacknowledged is true.',
      'Over http the statistics are as old as the broker makes them: up to 5 s (collect_statistics_interval). Use AMQP to react quickly.',
      'MessageRate, DeliverGetRate, PublishedToDeliveredRatio and ExpectedQueueConsumptionTime need http.',
      'MessageRate is active when the rate or the backlog is above activationValue.',
      'PublishedToDeliveredRatio without deliveries, and ExpectedQueueConsumptionTime without deliveries but with a backlog, count as the activation value and are active.',
      'useRegex reads one page: more matches than pageSize are an error. operation avg rounds the number of messages down.',
      'A queue that does not exist is an error, and is asked for again each second without disturbing the others.',
      'With `workloadIdentityResource` the token of an identity of Azure signs in over http; the pod identity `azure-workload` may ' +
        'name another one than the default.',
      'The virtual host is the path of an amqp URL, or the last part of the path of an http URL; empty means /. vhostName overrides it.',
    ],
  },
});

function openAmqp(settings: RabbitMqSettings, context: ScalerContext): TriggerSource {
  const { queueName, activationValue, tls, ca, cert, key, keyPassword, unsafeSsl } = settings;
  const address = amqpAddress(settings.host, settings);
  const tlsSettings = tls === 'enable' ? { ca, cert, key, keyPassword, unsafeSsl } : { unsafeSsl };
  const place = { ...address, tls: address.protocol === 'amqps' ? tlsSettings : null };
  const lease = context.connections.lease(
    `rabbitmq ${cacheKey(JSON.stringify(place))}`,
    () => new AmqpBroker(place, { timeoutMs: context.timeoutMs, nowMs: () => context.nowMs() }),
    (broker) => broker.close(),
  );
  const { rounds } = lease.connection;
  const options = { mode: 'QueueLength', activationValue, excludeUnacknowledged: false } as const;
  const reading = (messages: number) => readingOf({ ...emptyQueue, messages }, options);
  return {
    read: async (signal) =>
      reading(await untilAborted(rounds.once(queueName), signal, `${place.hostname}:${place.port}`)),
    watch: (news, pace) =>
      rounds.watch(
        queueName,
        pace,
        newsOnly(news, reading, () => context.nowMs()),
      ),
    close: () => lease.release(),
  };
}

function openHttpSource(
  settings: RabbitMqSettings,
  context: ScalerContext,
  identity: PodIdentity | null,
): TriggerSource {
  const { queueName, activationValue, excludeUnacknowledged, operation, useRegex, pageSize } = settings;
  const { root, vhost, username, password } = managementAddress(settings.host, settings);
  const timeoutMs = settings.timeout || context.timeoutMs;
  const token = identityToken(settings, context, identity);
  const signIn = JSON.stringify(signInOf(settings));
  const lease = context.connections.lease(
    `rabbitmq ${cacheKey(root, username, password, signIn, `${timeoutMs}`, token?.key)}`,
    () =>
      new ManagementApi({
        root,
        ...transport(settings, { username, password }, context, token),
        timeoutMs,
        nowMs: () => context.nowMs(),
      }),
    (api) => api.close(),
  );
  const { rounds } = lease.connection;
  const question: QueueQuestion = { vhost, queue: queueName, pageSize: useRegex ? pageSize : null };
  const options = { mode: modeAndValue(settings).mode, activationValue, excludeUnacknowledged };
  const reading = (queues: readonly QueueStatus[]) => readingOf(compose(queues, operation), options);
  return {
    read: async (signal) => reading(await untilAborted(rounds.once(question), signal, root)),
    watch: (news, pace) =>
      rounds.watch(
        question,
        pace,
        newsOnly(news, reading, () => context.nowMs()),
      ),
    close: () => lease.release(),
  };
}

/** As KEDA: the resource says that an identity signs in; the pod identity says which one, where it is not Ebb's default. */
function identityToken(
  { workloadIdentityResource: resource }: RabbitMqSettings,
  { cloud }: ScalerContext,
  identity: PodIdentity | null,
): CloudToken | null {
  if (resource === undefined) return null;
  return azureWorkloadToken(cloud, identity?.provider === 'azure-workload' ? identity : {}, azureScope(resource));
}

function signInOf({
  tls,
  ca,
  cert,
  key,
  keyPassword,
  unsafeSsl,
  oauthTokenURI,
  clientID,
  clientSecret,
  scopes,
  endpointParams,
}: RabbitMqSettings) {
  return {
    tls: tls === 'enable' ? { ca, cert, key, keyPassword, unsafeSsl } : { unsafeSsl },
    oauth:
      oauthTokenURI === undefined || clientID === undefined
        ? null
        : {
            tokenUrl: oauthTokenURI,
            clientId: clientID,
            clientSecret,
            scopes,
            endpointParams: Object.fromEntries(new URLSearchParams(endpointParams)),
          },
  };
}

function transport(
  settings: RabbitMqSettings,
  { username, password }: { username: string | undefined; password: string | undefined },
  context: ScalerContext,
  identity: CloudToken | null,
) {
  const { tls, oauth } = signInOf(settings);
  const http = openHttp(context, tls);
  const token = identity ?? (oauth ? openOAuthToken(context, oauth, tls) : null);
  const pair =
    username === undefined ? null : `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
  let shown = '';
  return {
    http: {
      ...http,
      request: async (request: HttpRequest) => {
        const answer = await http.request(request);
        // It may have been withdrawn before its time.
        if (answer.status === 401) token?.drop(shown);
        return answer;
      },
    },
    authorization: async (signal: AbortSignal) => {
      if (!token) return pair;
      shown = await token.get(signal);
      return `Bearer ${shown}`;
    },
    close: async () => {
      await token?.close();
      await http.close();
    },
  };
}

/** As Go's `url.QueryEscape`. */
function queryEscape(name: string): string {
  return encodeURIComponent(name)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
