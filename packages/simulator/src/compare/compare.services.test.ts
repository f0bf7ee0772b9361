import { describe, expect, test } from 'vitest';
import { comparableModel } from '../contract/model.ts';
import { TraceError } from '../contract/trace.ts';
import { onOff } from '../generators/onOff.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { PolicyNameError } from '../policies/policy.ts';
import { simulate } from '../run/simulate.ts';
import { compare } from './compare.ts';
import type { CompareOptions, CompareProgress } from './options.ts';
import { policiesToCompare, policyNames } from './policies.ts';

const model = comparableModel(20_000);
const startReplicas = 'first-minute-mean';
const settings = { model, maxReplicas: 100 };
const base = comparableWorkload('model', model);

/** Two bursts of requests of 2.2 s with ten minutes between. */
const counts = { name: 'bursts.csv', text: 't_s,requests\n0,40\n10,60\n600,80\n610,20\n620,0\n' };
const recorded = {
  name: 'recorded.csv',
  text: `arrival_s,input_tokens,output_tokens\n${[0, 0.5, 1, 300, 301, 302].map((at) => `${at},10,50`).join('\n')}\n`,
};

function policies(...names: string[]) {
  const own = policiesToCompare(['windows'], [], [{ workload: base, settings }])[0]?.documents;
  return policiesToCompare(names, Array.isArray(own) ? own : [], [{ workload: base, settings }]);
}

function run(more: Partial<CompareOptions> = {}) {
  return compare({
    traces: [{ input: counts }, { input: recorded }],
    policies: policies('ebb', 'keepalive:1m', 'always-on'),
    seeds: [1],
    model,
    startReplicas,
    threads: 2,
    ...more,
  });
}

describe('compare', () => {
  test('every policy on every trace with every seed, in the order given, the same as without threads', async () => {
    const seen: CompareProgress[] = [];
    const found = await run({ seeds: [1, 2], price: 1_200_000, onProgress: (progress) => seen.push(progress) });
    expect(found.failures).toEqual([]);
    expect(found.rows.map(({ trace, policy, seed }) => `${trace} ${policy} ${seed}`)).toEqual(
      ['bursts', 'recorded'].flatMap((trace) =>
        ['ebb', 'keepalive:1m', 'always-on'].flatMap((policy) => [1, 2].map((seed) => `${trace} ${policy} ${seed}`)),
      ),
    );
    // Counts are spread with the seed; single requests are what they are.
    expect(found.traces.map(({ bounds }) => bounds.map(({ seeds }) => seeds))).toEqual([[[1], [2]], [[1, 2]]]);
    const { readTrace } = await import('../traces/readTrace.ts');
    const trace = await readTrace(counts, { seed: 2 });
    const [{ documents } = { documents: [] }] = policies('keepalive:1m');
    if (!Array.isArray(documents)) throw new Error('keepalive has documents');
    const alone = await simulate({ trace, documents, model, seed: 2, policy: 'keepalive:1m', startReplicas });
    const row = found.rows.find(({ policy, seed }) => policy === 'keepalive:1m' && seed === 2);
    expect(row?.digest).toBe(alone.digest);
    expect(row?.replicaSeconds).toBe(alone.replicaSeconds);
    // Money is time by price: 1.20 an hour.
    expect(Number(row?.costMicro)).toBeCloseTo((alone.replicaSeconds / 3600) * 1_200_000, -1);
    expect(seen.at(-1)).toMatchObject({ share: 1 });
    expect(seen.at(-1)?.done).toBe(seen.at(-1)?.total);
    const again = await run({ seeds: [1, 2], price: 1_200_000, threads: 1 });
    expect(again).toEqual(found);
  });

  test('a ratio is cost over the bound, never under 1 where the promise is kept, and the constant count keeps it', async () => {
    const { rows, summaries, overall, traces } = await run();
    for (const row of rows) {
      const bound = traces.find(({ trace }) => trace === row.trace)?.bounds[0];
      expect(bound?.lowerBoundSeconds).toBeGreaterThan(0);
      expect(row.ratio).toBeCloseTo(row.replicaSeconds / (bound?.lowerBoundSeconds ?? 0), 9);
      const late = row.requests * (1 - row.onTimeShare);
      const priced = (row.replicaSeconds + 40 * late) / (bound?.pricedBoundSeconds ?? 0);
      expect(row.pricedScore).toBeCloseTo(priced, 6);
      expect(row.pricedScore).toBeGreaterThanOrEqual(1);
      if (row.qualifies) expect(row.ratio).toBeGreaterThanOrEqual(1);
      // 40 and 60 requests in ten seconds each: the fewest is more than one and less than all at once.
      if (row.policy !== 'always-on') continue;
      expect(row.qualifies).toBe(true);
      expect(row.mostReplicas).toBe(bound?.staticPeak);
    }
    for (const trace of ['bursts', 'recorded']) {
      // Hindsight is no policy to choose.
      const own = summaries.filter((one) => one.trace === trace && one.qualifies && one.policy !== 'always-on');
      const costs = own.map(({ replicaSeconds }) => replicaSeconds).sort((a, b) => a - b);
      const best = summaries.filter((one) => one.trace === trace && one.isBest);
      expect(best.map(({ replicaSeconds }) => replicaSeconds)).toEqual(costs.slice(0, 1));
    }
    const always = overall.find(({ policy }) => policy === 'always-on');
    const ratios = rows.filter(({ policy }) => policy === 'always-on').map(({ ratio }) => ratio ?? 0);
    expect(always?.ratio).toBeCloseTo(Math.sqrt((ratios[0] ?? 0) * (ratios[1] ?? 0)), 9);
    const ebb = overall.find(({ policy }) => policy === 'ebb');
    expect(ebb?.ratio === null).toBe((ebb?.qualified ?? 0) < 2);
  });

  test('one constant replica fewer would not keep the promise', async () => {
    const { traces } = await run();
    const peak = traces[0]?.bounds[0]?.staticPeak ?? 0;
    expect(peak).toBeGreaterThan(1);
    const fewer = await run({ traces: [{ input: counts }], policies: policies(`always-on:${peak - 1}`) });
    expect(fewer.rows[0]?.qualifies).toBe(false);
  });

  test('a trace at hand is packed and gives what its file would', async () => {
    const trace = onOff({ seed: 3, spanSeconds: 900, onSeconds: 60, offSeconds: 200, ratePerSecond: 2 });
    const { rows } = await run({ traces: [{ trace }], policies: policies('keepalive:1m') });
    const [{ documents } = { documents: [] }] = policies('keepalive:1m');
    if (!Array.isArray(documents)) throw new Error('keepalive has documents');
    const alone = await simulate({ trace, documents, model, seed: 1, policy: 'keepalive:1m', startReplicas });
    expect(rows[0]?.digest).toBe(alone.digest);
  });

  test('a row that cannot be read names file and line', async () => {
    const broken = { name: 'broken.csv', text: 't_s,requests\n0,40\n10,many\n' };
    const error = await run({ traces: [{ input: counts }, { input: broken }] }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TraceError);
    expect(String(error)).toContain('broken.csv:3: ');
  });

  test('a thread that dies takes its own run with it and names it', async () => {
    const worldModule = `data:text/javascript,${encodeURIComponent('process.exit(7);')}`;
    const found = await run({ traces: [{ input: recorded }], policies: policies('ebb', 'keepalive:1m'), worldModule });
    expect(found.rows).toEqual([]);
    expect(found.failures).toEqual([
      expect.objectContaining({ trace: 'recorded', policy: 'ebb', seed: 1 }),
      expect.objectContaining({ trace: 'recorded', policy: 'keepalive:1m', seed: 1 }),
    ]);
    expect(found.failures[0]?.message).toMatch(/thread of ebb on recorded.csv, seed 1 died: it ended with code 7/);
  });

  test('documents that do not fit fail for their policy alone', async () => {
    const [good, bad] = policies('ebb', 'keepalive:1m');
    if (!good || !bad) throw new Error('two policies');
    const found = await run({ traces: [{ input: recorded }], policies: [good, { ...bad, documents: [] }] });
    expect(found.rows.map(({ policy }) => policy)).toEqual(['ebb']);
    expect(found.failures[0]?.message).toContain('a rehearsal needs a Workload');
  });

  test('an abort ends it with the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const ended = run({ signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(ended).rejects.toBe(reason);
  });
});

describe('names of policies', () => {
  test('parameters stay with their policy', () => {
    expect(policyNames('ebb,keda:min1,70,keepalive:10m,min1,always-on, hpa')).toEqual([
      'ebb',
      'keda:min1,70',
      'keepalive:10m,min1',
      'always-on',
      'hpa',
    ]);
  });

  test('an unknown one is told with the nearest', () => {
    expect(() => policies('kedda')).toThrow(PolicyNameError);
    expect(() => policies('kedda')).toThrow('there is no policy "kedda"');
    expect(() => policies('kedda')).toThrow('did you mean keda?');
    expect(() => policies('ebb:fast')).toThrow('no parameters');
  });
});
