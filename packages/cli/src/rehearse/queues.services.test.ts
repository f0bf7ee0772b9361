import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';

const { write, ebb } = commandFolder();

const imageQueue = fileURLToPath(new URL('../../../../examples/image-queue/scaledjob.yaml', import.meta.url));
const chatbot = ['workload', 'scaledobject'].flatMap((name) => [
  '-f',
  fileURLToPath(new URL(`../../../../examples/chatbot-kafka/${name}.yaml`, import.meta.url)),
]);

beforeAll(() => {
  // Six pictures in three seconds, and one after ten minutes.
  write('pictures.csv', 't_s,requests\n60,6\n63,0\n600,1\n601,0\n');
  write(
    'cron.yaml',
    JSON.stringify({
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledJob',
      metadata: { name: 'nightly' },
      spec: {
        jobTargetRef: { template: { spec: { containers: [{ name: 'a', command: ['a'] }] } } },
        triggers: [
          { type: 'cron', metadata: { timezone: 'UTC', start: '0 1 * * *', end: '0 2 * * *', desiredReplicas: '1' } },
        ],
      },
    }),
  );
});

const world = ['--service', '8s', '--cold-start', '2s', '--on-time', '1m', '--start-replicas', '0', '--json'];

test('a ScaledJob stands beside policies, which get a Workload that does the same', async () => {
  const words = ['rehearse', '-f', imageQueue, '--trace', 'pictures.csv', '--policies', 'ebb,keepalive:1m', ...world];
  const { code, out, err } = await ebb(...words, '--price', '0.36');
  expect(code).toBe(0);
  expect(err).toContain('ScaledJob image-queue makes Jobs under ebb. The other policies scale a Workload');
  expect(err).toContain('at most 3 replicas');
  const { model, rows, failures, traces } = JSON.parse(out);
  expect(failures).toEqual([]);
  expect(model.concurrency).toBe(1);
  // The work of seven pictures and one cold start.
  expect(traces[0].bounds[0].lowerBoundSeconds).toBeGreaterThanOrEqual(58);
  const [jobs, keepAlive] = rows;
  expect(jobs).toMatchObject({ policy: 'ebb', requests: 7, served: 7, coldStarts: 7, mostReplicas: 3 });
  // Each Job is paid for its start and its picture, and nothing is kept; 0.36 an hour are 100 micro-units a second.
  expect(jobs.replicaSeconds).toBeCloseTo(7 * (2 + 8), 6);
  expect(jobs.costMicro).toBe('7000');
  expect(keepAlive).toMatchObject({ policy: 'keepalive:1m', served: 7, mostReplicas: 3 });
  expect(keepAlive.replicaSeconds).toBeGreaterThan(2 * jobs.replicaSeconds);
  expect(keepAlive.coldStarts).toBeLessThan(jobs.coldStarts);
  const alone = ['rehearse', '-f', imageQueue, '--trace', 'pictures.csv', '--policies', 'ebb', ...world];
  const again = await ebb(...alone, '--price', '0.36');
  expect(again.err).not.toContain('The other policies');
  expect(JSON.parse(again.out).rows[0].digest).toBe(jobs.digest);
});

test('the worker of a queue is rehearsed with the queue of its broker', async () => {
  const words = ['rehearse', ...chatbot, '--trace', 'pictures.csv', '--policies', 'ebb,keepalive:1m', ...world];
  const { code, out, err } = await ebb(...words);
  expect(code).toBe(0);
  expect(err).toContain('Workload chatbot works on a broker’s queue under ebb.');
  const [own, keepAlive] = JSON.parse(out).rows;
  // Five at least, all the time: seven messages find one free.
  expect(own).toMatchObject({ served: 7, onTimeShare: 1 });
  expect(own.mostReplicas).toBeGreaterThanOrEqual(5);
  expect(keepAlive.served).toBe(7);
  write('gateway.yaml', 'source: gateway\n');
  const other = await ebb(...words, '--model', 'gateway.yaml');
  expect(other.err).not.toContain('queue under ebb');
  expect(JSON.parse(other.out).rows[0].digest).not.toBe(own.digest);
});

test('what cannot be rehearsed is named', async () => {
  const words = ['--trace', 'pictures.csv'];
  const cron = await ebb('rehearse', '-f', 'cron.yaml', ...words);
  expect(cron.err).toContain('ScaledJob nightly: cron triggers cannot be rehearsed yet');
  expect(cron.code).toBe(2);
  const tuned = await ebb('tune', '-f', imageQueue, ...words);
  expect(tuned.err).toContain('ScaledJob image-queue: this command is for Workloads; leave it out');
  expect(tuned.code).toBe(2);
  write('broker.yaml', 'source: broker\n');
  const model = await ebb('rehearse', ...words, '--model', 'broker.yaml');
  expect(model.err).toContain('broker.yaml: source is one of queue, gateway, not "broker"');
  expect(model.code).toBe(2);
});
