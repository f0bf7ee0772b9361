import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Kernel } from '../kernel/kernel.ts';
import { countedBy } from './brokerCount.ts';
import { BrokerQueues, type Consumer } from './brokerQueue.ts';
import type { RequestListener } from './gateway.ts';

const noArrivals = { nextUs: Number.POSITIVE_INFINITY, arrive: () => true, refill: async () => {} };

interface Service {
  originUs: number;
  beganUs: number;
  endUs: number;
}

function world() {
  const kernel = new Kernel();
  const served: Service[] = [];
  let inSystem = 0;
  const listener: RequestListener = {
    entered: () => inSystem++,
    left: () => inSystem--,
    served: (_, originUs, beganUs, endUs) => served.push({ originUs, beganUs, endUs }),
    lost: () => expect.unreachable('a broker loses nothing'),
  };
  const queues = new BrokerQueues(kernel, 1, listener);
  const steps: (() => void)[] = [];
  const kind = kernel.kind((index) => steps[index]?.());
  const at = (atUs: number, step: () => void) => kernel.put(atUs, kind, steps.push(step) - 1);
  const run = () => kernel.run(noArrivals, () => false);
  return { kernel, queues, served, at, run, inSystem: () => inSystem };
}

const messages = fc.array(
  fc.record({ atUs: fc.integer({ min: 0, max: 1000 }), serviceUs: fc.integer({ min: 1, max: 300 }) }),
  {
    minLength: 1,
    maxLength: 60,
  },
);
const workers = fc.array(
  fc.record({
    fromUs: fc.integer({ min: 0, max: 1000 }),
    lengthUs: fc.integer({ min: 0, max: 800 }),
    prefetch: fc.integer({ min: 1, max: 4 }),
    factor: fc.constantFrom(1, 2.5),
    mayTake: fc.constantFrom(1, 3, Infinity),
    graceUs: fc.constantFrom(0, 100),
    ends: fc.constantFrom('crash', 'stop', 'hang'),
  }),
  { maxLength: 12 },
);

describe('the queue of a broker', () => {
  it('has each message acknowledged exactly once, whatever becomes of its consumers', async () => {
    await fc.assert(
      fc.asyncProperty(messages, workers, async (sent, consumers) => {
        const { kernel, queues, served, at, run, inSystem } = world();
        const alive = new Map<Consumer, number>();
        let published = 0;
        const check = () => {
          let taken = 0;
          for (const [consumer, prefetch] of alive) {
            expect(consumer.rows.size).toBeLessThanOrEqual(prefetch);
            taken += consumer.rows.size;
            const hasRoom = consumer.mayTake > 0 && consumer.rows.size < prefetch;
            if (hasRoom) expect(queues.waiting(0)).toBe(0);
          }
          expect(queues.unacknowledged(0)).toBe(taken);
          expect(queues.waiting(0) + taken + served.length).toBe(published);
          expect(queues.open).toBe(published - served.length);
          expect(inSystem()).toBe(queues.open);
        };
        for (const { atUs, serviceUs } of sent) {
          at(atUs, () => {
            published++;
            queues.publish(0, serviceUs);
            check();
          });
        }
        for (const { fromUs, lengthUs, graceUs, ends, prefetch, factor, mayTake } of consumers) {
          at(fromUs, () => {
            const consumer = queues.join({ workload: 0, prefetch, factor, mayTake });
            alive.set(consumer, prefetch);
            const end = () => {
              queues.end(consumer);
              alive.delete(consumer);
              check();
            };
            at(fromUs + lengthUs, () => {
              if (ends === 'crash') return end();
              if (ends === 'hang') queues.hang(consumer);
              const remainingUs = ends === 'stop' ? queues.leave(consumer) : Infinity;
              at(kernel.nowUs + Math.min(graceUs, remainingUs), end);
              check();
            });
            check();
          });
        }
        at(5000, () => {
          alive.set(queues.join({ workload: 0, prefetch: 1, factor: 1 }), 1);
        });
        await run();
        check();
        expect(served.length).toBe(sent.length);
        expect(queues.open).toBe(0);
        expect(served.map(({ originUs }) => originUs).sort((a, b) => a - b)).toEqual(
          sent.map(({ atUs }) => atUs).sort((a, b) => a - b),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('works each message once, in order, as long as nobody ends early', async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.integer({ min: 1, max: 4 }), async (sent, prefetch) => {
        const { queues, served, at, run } = world();
        const inOrder = [...sent].sort((a, b) => a.atUs - b.atUs);
        at(0, () => queues.join({ workload: 0, prefetch, factor: 1 }));
        for (const { atUs, serviceUs } of inOrder) at(atUs, () => queues.publish(0, serviceUs));
        await run();
        // First come, first served by so many slots.
        const freeUs = Array.from({ length: prefetch }, () => 0);
        const expected = inOrder.map(({ atUs, serviceUs }) => {
          freeUs.sort((a, b) => a - b);
          const beganUs = Math.max(atUs, freeUs[0] ?? 0);
          freeUs[0] = beganUs + serviceUs;
          return { originUs: atUs, beganUs, endUs: beganUs + serviceUs };
        });
        const byEnd = (a: Service, b: Service) => a.endUs - b.endUs || a.originUs - b.originUs || a.beganUs - b.beganUs;
        expect(served.sort(byEnd)).toEqual(expected.sort(byEnd));
      }),
      { numRuns: 100 },
    );
  });

  it('gives what came back to the next consumer first, oldest first', async () => {
    const { queues, served, at, run } = world();
    const first = queues.join({ workload: 0, prefetch: 2, factor: 1 });
    for (const atUs of [1, 2, 3, 4]) at(atUs, () => queues.publish(0, 100));
    at(50, () => queues.end(first));
    at(60, () => queues.join({ workload: 0, prefetch: 1, factor: 1 }));
    await run();
    expect(served.map(({ originUs, beganUs }) => [originUs, beganUs])).toEqual([
      [1, 60],
      [2, 160],
      [3, 260],
      [4, 360],
    ]);
  });

  it('goes round its consumers', () => {
    const { queues } = world();
    const consumers = [1, 2, 3].map(() => queues.join({ workload: 0, prefetch: 2, factor: 1 }));
    const counts = () => consumers.map(({ rows }) => rows.size);
    queues.publish(0, 10);
    queues.publish(0, 10);
    expect(counts()).toEqual([1, 1, 0]);
    queues.publish(0, 10);
    queues.publish(0, 10);
    expect(counts()).toEqual([2, 1, 1]);
  });
});

describe('what a trigger counts', () => {
  const queue = { waiting: 10, unacknowledged: 3 };
  const rabbitmq = (metadata: Record<string, string>, env = {}) =>
    countedBy({ type: 'rabbitmq', metadata }, env)(queue);
  it.each([
    ['redis', {}, 10],
    ['redis-sentinel', {}, 10],
    ['redis-streams', { stream: 's' }, 13],
    ['redis-streams', { stream: 's', consumerGroup: 'g' }, 3],
    ['redis-streams', { stream: 's', consumerGroup: 'g', lagCount: '5' }, 10],
    ['kafka', {}, 13],
    ['nats-jetstream', {}, 13],
    ['aws-sqs-queue', {}, 13],
    ['aws-sqs-queue', { scaleOnInFlight: 'false' }, 10],
    ['metrics-api', {}, 13],
    ['constructor', {}, 13],
  ])('%s %o: %i', (type, metadata: Record<string, string>, value) => {
    expect(countedBy({ type, metadata }, {})(queue)).toBe(value);
  });

  it('follows the protocol of RabbitMQ', () => {
    expect(rabbitmq({})).toBe(10);
    expect(rabbitmq({ host: 'amqp://b' })).toBe(10);
    expect(rabbitmq({ host: 'https://b' })).toBe(13);
    expect(rabbitmq({ protocol: 'http' })).toBe(13);
    expect(rabbitmq({ protocol: 'http', excludeUnacknowledged: 'true' })).toBe(10);
    expect(rabbitmq({ hostFromEnv: 'BROKER' }, { BROKER: 'http://b' })).toBe(13);
  });
});
