import type { SourceReading } from '../contract/source.ts';

export const modes = [
  'QueueLength',
  'MessageRate',
  'DeliverGetRate',
  'PublishedToDeliveredRatio',
  'ExpectedQueueConsumptionTime',
] as const;
export type Mode = (typeof modes)[number];

export const operations = ['sum', 'avg', 'max'] as const;
export type Operation = (typeof operations)[number];

/** What RabbitMQ says about one queue, or several put together. Rates are messages a second. */
export interface QueueStatus {
  /** Ready and unacknowledged; ready alone over AMQP. */
  messages: number;
  messagesReady: number;
  publishRate: number;
  deliverGetRate: number;
}

export const emptyQueue: QueueStatus = { messages: 0, messagesReady: 0, publishRate: 0, deliverGetRate: 0 };

/** Several queues as one; none is an empty queue. An average of messages is rounded down, as KEDA's whole numbers are. */
export function compose(queues: readonly QueueStatus[], operation: Operation): QueueStatus {
  if (queues.length === 0) return emptyQueue;
  const of = (pick: (queue: QueueStatus) => number) => queues.map(pick);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const put = (values: readonly number[]) => {
    if (operation === 'max') return values.reduce((most, value) => Math.max(most, value), 0);
    return operation === 'sum' ? sum(values) : sum(values) / values.length;
  };
  return {
    messages: Math.floor(put(of(({ messages }) => messages))),
    messagesReady: Math.floor(put(of(({ messagesReady }) => messagesReady))),
    publishRate: put(of(({ publishRate }) => publishRate)),
    deliverGetRate: put(of(({ deliverGetRate }) => deliverGetRate)),
  };
}

/** The value by KEDA's rules (`GetMetricsAndActivity` of its RabbitMQ scaler). Never negative. */
export function readingOf(
  status: QueueStatus,
  {
    mode,
    activationValue,
    excludeUnacknowledged,
  }: { mode: Mode; activationValue: number; excludeUnacknowledged: boolean },
): SourceReading {
  const { publishRate, deliverGetRate } = status;
  const messages = excludeUnacknowledged ? status.messagesReady : status.messages;
  const isAbove = (value: number) => value > activationValue;
  switch (mode) {
    case 'QueueLength':
      return { value: messages, active: isAbove(messages) };
    case 'MessageRate':
      // A backlog keeps it active after the publishers have gone.
      return { value: publishRate, active: isAbove(publishRate) || isAbove(messages) };
    case 'DeliverGetRate':
      return { value: deliverGetRate, active: isAbove(deliverGetRate) };
    case 'PublishedToDeliveredRatio': {
      if (publishRate <= 0) return reading(0, isAbove(0));
      if (deliverGetRate <= 0) return reading(activationValue, true);
      return reading(publishRate / deliverGetRate, isAbove(publishRate / deliverGetRate));
    }
    case 'ExpectedQueueConsumptionTime': {
      // Without deliveries the time has no end: whether it is worth a replica is for the backlog to say.
      if (deliverGetRate <= 0) return messages > 0 ? reading(activationValue, true) : reading(0, isAbove(0));
      const seconds = (publishRate - deliverGetRate) / deliverGetRate + messages / deliverGetRate;
      return reading(seconds, isAbove(seconds));
    }
  }
}

function reading(value: number, active: boolean): SourceReading {
  return { value: Math.max(0, value), active };
}
