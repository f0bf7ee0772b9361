import type { KedaTriggerSpec } from '@ebb/documents';

/** A broker's queue at a moment: messages that nobody has taken, and those that are taken and not yet acknowledged. */
export interface QueueCount {
  waiting: number;
  unacknowledged: number;
}

type CountOf = (trigger: Pick<KedaTriggerSpec, 'metadata'>, env: Readonly<Record<string, string>>) => Counted;
type Counted = 'waiting' | 'unacknowledged' | 'all';

const always =
  (counted: Counted): CountOf =>
  () =>
    counted;

/**
 * RabbitMQ's management interface counts what is ready and what is not acknowledged; over AMQP, which is what counts where
 * the address cannot be seen, only what is ready is known.
 */
const rabbitmq: CountOf = ({ metadata }, env) => {
  const { protocol = 'auto', host = env[metadata['hostFromEnv'] ?? ''] ?? '', excludeUnacknowledged } = metadata;
  const isHttp = protocol === 'auto' ? /^https?:/i.test(host) : protocol === 'http';
  return isHttp && excludeUnacknowledged !== 'true' ? 'all' : 'waiting';
};

/** Entries of the stream; with a consumer group those that are pending, or, with `lagCount`, those not yet delivered. */
const streams: CountOf = ({ metadata }) => {
  if ((metadata['consumerGroup'] ?? '') === '') return 'all';
  return metadata['lagCount'] === undefined ? 'unacknowledged' : 'waiting';
};

/** Types of triggers whose source is the queue of a broker, and what of it each counts. */
const brokers: Readonly<Record<string, CountOf>> = {
  activemq: always('all'),
  'apache-kafka': always('all'),
  'artemis-queue': always('all'),
  'aws-sqs-queue': ({ metadata }) => (metadata['scaleOnInFlight'] === 'false' ? 'waiting' : 'all'),
  'azure-queue': ({ metadata }) => (metadata['queueLengthStrategy'] === 'visibleonly' ? 'waiting' : 'all'),
  'azure-servicebus': always('all'),
  beanstalkd: always('waiting'),
  'gcp-pubsub': always('all'),
  // The lag is what has not been committed, and what is worked on has not.
  kafka: always('all'),
  'nats-jetstream': always('all'),
  rabbitmq,
  // A list has lost what was popped.
  redis: always('waiting'),
  'redis-cluster': always('waiting'),
  'redis-cluster-streams': streams,
  'redis-sentinel': always('waiting'),
  'redis-sentinel-streams': streams,
  'redis-streams': streams,
  stan: always('all'),
};

/** Whether a trigger of this type reads the queue of a broker. */
export function isBroker(type: string): boolean {
  return Object.hasOwn(brokers, type);
}

/**
 * What a trigger reads of the queue behind it, as the source of its type counts live. Other types, whatever they ask, are
 * taken to count everything that is not acknowledged. `env`: of the container that `…FromEnv` settings name.
 */
export function countedBy(
  trigger: Pick<KedaTriggerSpec, 'type' | 'metadata'>,
  env: Readonly<Record<string, string>>,
): (queue: QueueCount) => number {
  const counted = isBroker(trigger.type) ? brokers[trigger.type]?.(trigger, env) : 'all';
  if (counted === 'waiting') return ({ waiting }) => waiting;
  if (counted === 'unacknowledged') return ({ unacknowledged }) => unacknowledged;
  return ({ waiting, unacknowledged }) => waiting + unacknowledged;
}
