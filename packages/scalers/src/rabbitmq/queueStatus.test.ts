import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compose, emptyQueue, type Mode, modes, type QueueStatus, readingOf } from './queueStatus.ts';

const status = (messages: number, messagesReady: number, publishRate = 0, deliverGetRate = 0): QueueStatus => ({
  messages,
  messagesReady,
  publishRate,
  deliverGetRate,
});

describe('value of a queue', () => {
  it.each<[Mode, QueueStatus, number, number, boolean]>([
    ['QueueLength', status(7, 5), 0, 7, true],
    ['QueueLength', status(7, 5), 7, 7, false],
    ['QueueLength', emptyQueue, 0, 0, false],
    ['MessageRate', status(0, 0, 1.5), 1, 1.5, true],
    ['MessageRate', status(0, 0, 1.5), 2, 1.5, false],
    ['MessageRate', status(3, 3, 0), 2, 0, true],
    ['DeliverGetRate', status(9, 9, 5, 2), 1, 2, true],
    ['DeliverGetRate', status(9, 9, 5, 0), 1, 0, false],
    ['PublishedToDeliveredRatio', status(9, 9, 6, 2), 2, 3, true],
    ['PublishedToDeliveredRatio', status(9, 9, 6, 2), 3, 3, false],
    ['PublishedToDeliveredRatio', status(9, 9, 6, 0), 4, 4, true],
    ['PublishedToDeliveredRatio', status(9, 9, 0, 0), 4, 0, false],
    ['ExpectedQueueConsumptionTime', status(20, 20, 4, 2), 5, 11, true],
    ['ExpectedQueueConsumptionTime', status(0, 0, 1, 2), 0, 0, false],
    ['ExpectedQueueConsumptionTime', status(5, 5, 3, 0), 4, 4, true],
    ['ExpectedQueueConsumptionTime', emptyQueue, 4, 0, false],
  ])('%s of %o above %d is %d, active %s', (mode, queue, activationValue, value, active) => {
    expect(readingOf(queue, { mode, activationValue, excludeUnacknowledged: false })).toEqual({ value, active });
  });

  it('leaves out what is unacknowledged where that is wanted', () => {
    const options = { mode: 'QueueLength', activationValue: 5, excludeUnacknowledged: true } as const;
    expect(readingOf(status(7, 5), options)).toEqual({ value: 5, active: false });
  });

  it('is never negative and always a number', () => {
    const count = fc.nat();
    const rate = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom(...modes),
        count,
        rate,
        rate,
        count,
        (mode, messages, publish, deliver, activationValue) => {
          const options = { mode, activationValue, excludeUnacknowledged: false };
          const { value } = readingOf(status(messages, messages, publish, deliver), options);
          expect(value).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

describe('several queues as one', () => {
  const queues = [status(1, 1, 1, 0.5), status(4, 2, 2, 1.5)];
  it.each([
    ['sum', status(5, 3, 3, 2)],
    ['avg', status(2, 1, 1.5, 1)],
    ['max', status(4, 2, 2, 1.5)],
  ] as const)('%s', (operation, expected) => {
    expect(compose(queues, operation)).toEqual(expected);
    expect(compose([], operation)).toEqual(emptyQueue);
  });
});
