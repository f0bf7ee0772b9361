import { VirtualSystem, workloadDocument } from '@ebb/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';
import { LineError } from '../decide/lineError.ts';
import { parseModel } from './modelFile.ts';
import { seedsOf } from './seeds.ts';

const { write, read, ebb } = commandFolder();

const classes = [{ name: 'default', command: ['serve'], concurrency: 4, pricePerHour: 3.6 }];

beforeAll(() => {
  write('bursts.csv', 't_s,requests\n0,40\n10,60\n600,80\n610,20\n620,0\n');
  write('broken.csv', 't_s,requests\n0,40\n10,many\n');
  // JSON is YAML.
  const web = workloadDocument('web', { classes, scaling: { maxReplicas: 8, minReplicas: 2 } });
  write('web.yaml', JSON.stringify(web));
  write('bad.yaml', 'apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata: { name: web }\nspec: { clases: [] }\n');
});

describe('ebb rehearse', () => {
  test('a table, a CSV and a report', async () => {
    const words = [
      'rehearse',
      '--trace',
      'bursts.csv',
      '--policies',
      'ebb,keepalive:1m,always-on',
      '--cold-start',
      '20s',
    ];
    const { code, out, err } = await ebb(...words, '--price', '1.20', '--csv', 'runs.csv', '--html', 'report.html');
    expect(code).toBe(0);
    expect(out).toMatch(/^bursts {2}200 requests in 10 min 20 s, optimum at least [\d.]+ h/);
    expect(out).toMatch(/POLICY +ON TIME +× OPTIMUM +REPLICAS +MONEY/);
    expect(out).toMatch(/✓ {2}always-on \(hindsight\) +100 %/);
    expect(out).toMatch(/\n[●✗] {2}ebb /);
    expect(out).toContain('The promise: 99 % of the requests begin within 5 s.');
    expect(out).not.toContain('\u001b[');
    expect(err).toContain('4 of 4: ');
    expect(err).toContain('wrote runs.csv\n');
    expect(read('runs.csv').split('\r\n')).toHaveLength(5);
    const page = read('report.html');
    expect(page).toContain('Made by <code>ebb rehearse --trace bursts.csv --policies');
    expect(page).not.toContain('--csv');
  });

  test('documents as they are: bounds, slots and prices are theirs', async () => {
    const words = ['rehearse', '-f', 'web.yaml', '--trace', 'bursts.csv?span=1h', '--policies', 'ebb,keda', '--json'];
    const { code, out } = await ebb(...words);
    expect(code).toBe(0);
    const { model, rows, traces, runs } = JSON.parse(out);
    expect(runs).toBeUndefined();
    expect(model.concurrency).toBe(4);
    expect(traces[0].spanMs).toBe(3_600_000);
    const [own, keda] = rows;
    // Two replicas at least for an hour, at 3.60 each.
    expect(own.policy).toBe('ebb');
    expect(own.replicaSeconds).toBeGreaterThanOrEqual(7200);
    expect(Number(own.costMicro)).toBeCloseTo(own.replicaSeconds * 1000, -1);
    expect(own.mostReplicas).toBeLessThanOrEqual(8);
    expect(keda.mostReplicas).toBeLessThanOrEqual(8);
    expect(keda.replicaSeconds).toBeLessThan(own.replicaSeconds);
  });

  test('a limit for pipelines', async () => {
    const words = ['rehearse', '-f', 'web.yaml', '--trace', 'bursts.csv?span=1h', '--policies', 'keda,ebb', '--json'];
    const { rows } = JSON.parse((await ebb(...words)).out);
    const { qualifies } = rows.find(({ policy }: { policy: string }) => policy === 'ebb');
    const over = await ebb(...words, '--fail-over', '1.01');
    expect(over.code).toBe(1);
    expect(over.err).toMatch(qualifies ? /ebb on bursts: [\d.]+ × the optimum is over 1\.01 ×/ : /is the promise/);
    const loose = ['--fail-over', '100000', '--share', '0.01'];
    expect((await ebb(...words, ...loose)).code).toBe(0);
  });

  test('a journal is a trace', async () => {
    const system = new VirtualSystem({ seed: 5 });
    await system.start();
    await system.apply(workloadDocument('web', { classes, scaling: { maxReplicas: 2, keepAlive: '60s' } }));
    await system.clock.advance(1000);
    for (let minute = 0; minute < 20; minute++) {
      system.gateway.arrive('local/default/web', 500_000);
      await system.clock.advance(60_000);
    }
    await system.stop();
    const lines = system.store.records.map((record) => JSON.stringify(record));
    write('journal.jsonl', `${lines.join('\n')}\n`);
    const words = ['rehearse', '-f', 'web.yaml', '--trace', 'journal.jsonl', '--policies', 'ebb', '--json'];
    const { code, out, err } = await ebb(...words);
    expect(err).not.toContain('ebb:');
    expect(code).toBe(0);
    const [row] = JSON.parse(out).rows;
    expect(row.trace).toBe('journal');
    // The span in which recording ended may be missing.
    expect([19, 20]).toContain(row.requests);
    expect(row.served).toBe(row.requests);
  });
});

describe('what is wrong is said with its place', () => {
  const cases: [string, string[], string][] = [
    ['a row of a trace', ['--trace', 'broken.csv'], 'broken.csv:3: '],
    ['no such trace', ['--trace', 'none.csv'], 'none.csv: there is no such file'],
    ['no trace at all', [], 'say which trace to rehearse'],
    ['a policy', ['--trace', 'bursts.csv', '--policies', 'ebb,kedda'], 'did you mean keda?'],
    ['a parameter of a policy', ['--trace', 'bursts.csv', '--policies', 'keda:max3'], '"max3" is not known'],
    ['a document', ['-f', 'bad.yaml', '--trace', 'bursts.csv'], 'bad.yaml:4:9: error: unknown field "clases"'],
    ['a seed', ['--trace', 'bursts.csv', '--seed', '3..1'], '--seed is a list of whole numbers'],
    ['a price', ['--trace', 'bursts.csv', '--price', 'cheap'], '--price: '],
    ['a length', ['--trace', 'bursts.csv', '--cold-start', '60'], '--cold-start: 60 has no unit'],
    ['an option of a trace', ['--trace', 'bursts.csv?evry=2'], 'has no option "evry". Did you mean "every"?'],
    ['a model', ['--trace', 'bursts.csv', '--model', 'none.yaml'], 'there is no file "none.yaml"'],
  ];
  test.each(cases)('%s', async (_, words, message) => {
    const { code, err } = await ebb('rehearse', ...words);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

test('policies are completed, also behind others', async () => {
  const { out } = await ebb('__complete', 'rehearse', '--policies', 'ebb,ke');
  expect(out).toContain('ebb,keda:min1,70');
  expect(out).toContain('ebb,keepalive:10m');
});

describe('a model file', () => {
  test('says what it says, and no more', () => {
    expect(
      parseModel(`
service: { base: 0.2s, perToken: 20ms }
coldStart:
  - { stage: node, time: { from: 20s, to: 60s } }
  - { stage: weights, time: { median: 30s, sigma: 0.4 } }
onTime: 2s
batching: { slowdown: [[1, 1], [8, 1.6]] }
faults: { crashEveryHours: 24, hangEveryHours: 12, staleEveryHours: 6, stale: 30s, clientTimeout: 30s, retries: 2 }
`),
    ).toMatchObject({
      service: { type: 'tokens', baseMs: 200, perTokenMs: 20, withoutTokensMs: 200 },
      coldStart: [
        { stage: 'node', ms: { type: 'uniform', fromMs: 20_000, toMs: 60_000 } },
        { stage: 'weights', ms: { type: 'lognormal', medianMs: 30_000, sigma: 0.4 } },
      ],
      onTimeMs: 2000,
      batching: {
        slowdown: [
          [1, 1],
          [8, 1.6],
        ],
      },
      faults: {
        crashEveryHours: 24,
        hangEveryHours: 12,
        staleEveryHours: 6,
        staleMs: 30_000,
        clientTimeoutMs: 30_000,
        retries: 2,
        failedStartShare: 0,
      },
    });
    expect(parseModel('')).not.toHaveProperty('concurrency');
    expect(parseModel('')).not.toHaveProperty('batching');
    expect(parseModel('').faults).toMatchObject({ hangEveryHours: 0, staleEveryHours: 0, staleMs: 0 });
  });

  test.each([
    ['coldstart: 60s', 'did you mean "coldStart"?'],
    ['coldStart: 60', 'coldStart: expected a duration'],
    ['concurrency: 0', 'concurrency is a whole number from 1'],
    ['service: { measured: [] }', 'service.measured needs at least one duration'],
    ['share: 99', 'share is a share from 0 to 1'],
    ['batching: { slowdwn: [[8, 2]] }', 'batching has no field "slowdwn"; did you mean "slowdown"?'],
    ['batching: 1.6', 'batching is an object, not 1.6'],
    ['batching: { slowdown: [] }', 'batching.slowdown needs at least one pair such as [8, 1.6]'],
    ['batching: { slowdown: [8, 1.6] }', 'batching.slowdown[0] is a pair such as [8, 1.6]'],
    ['batching: { slowdown: [[0, 1]] }', 'batching.slowdown[0][0] is a whole number from 1, not 0'],
    [
      'batching: { slowdown: [[8, 0.5]] }',
      'batching.slowdown[0][1] is how many times longer a service takes, from 1 to',
    ],
    ['batching: { slowdown: [[8, 2], [4, 1]] }', 'batching.slowdown[1]: 4 requests come after 8'],
    ['faults: { hangEveryHour: 2 }', 'did you mean "hangEveryHours"?'],
    ['faults: { hangEveryHours: -1 }', 'faults.hangEveryHours must be more than 0, not -1'],
    ['faults: { staleEveryHours: 2, stale: 30 }', 'faults.stale: expected a duration such as 250ms or 30s, found 30'],
    ['{', ''],
  ])('%s', (source, message) => {
    expect(() => parseModel(source)).toThrow(LineError);
    expect(() => parseModel(source)).toThrow(message);
  });
});

test('seeds are a list with ranges, each once', () => {
  expect(seedsOf('1,5,2..4,3')).toEqual([1, 5, 2, 3, 4]);
});
