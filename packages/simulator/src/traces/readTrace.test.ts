import { createReadStream } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceError } from '../contract/trace.ts';
import { readTrace } from './readTrace.ts';
import { arrivalRows } from './layouts/requestRows.ts';
import { requestTrace } from './requestTrace.ts';
import { openSource } from './source.ts';
import { rowsOf, samplePath, totalsOf } from './trace.fixture.ts';

const text = (...lines: string[]) => ({ name: 'load.csv', text: lines.join('\n') });
const arrivals = (...rows: string[]) => text('arrival_s,input_tokens,output_tokens', ...rows);
const counts = (...rows: string[]) => text('t_s,requests', ...rows);

describe('layouts with a request a row', () => {
  it('reads arrivals with tokens', async () => {
    const trace = await readTrace(samplePath('azureLlm2023.csv'));
    expect(trace).toMatchObject({
      name: 'azureLlm2023',
      arrivals: 'recorded',
      hasTokens: true,
      workloads: ['azureLlm2023'],
    });
    const rows = await rowsOf(trace);
    expect(rows).toHaveLength(60);
    expect(rows.slice(0, 2)).toEqual([
      { atUs: 0, workload: 'azureLlm2023', input: 374, output: 44 },
      { atUs: 4_315_000, workload: 'azureLlm2023', input: 396, output: 109 },
    ]);
    expect(trace.spanUs).toBe(rows.at(-1)?.atUs);
  });

  it('reads the columns of the Azure LLM set to the same requests', async () => {
    const original = await readTrace(samplePath('azureLlm2023Original.csv'), {
      rename: { azureLlm2023Original: 'azureLlm2023' },
    });
    expect(await rowsOf(original)).toEqual(await rowsOf(await readTrace(samplePath('azureLlm2023.csv'))));
  });

  it('reads moments with a zone', async () => {
    const trace = await readTrace(
      text(
        'TIMESTAMP,ContextTokens,GeneratedTokens',
        '2024-05-10 00:00:00.009930+00:00,1,2',
        '2024-05-10 02:00:01.5+02:00,3,4',
      ),
    );
    expect((await rowsOf(trace)).map(({ atUs }) => atUs)).toEqual([0, 1_490_070]);
  });

  it('reads gzip, from a file and from a stream', async () => {
    const path = samplePath('servegenMid98.csv.gz');
    const trace = await readTrace(path);
    expect(trace.name).toBe('servegenMid98');
    const rows = await rowsOf(trace);
    expect(rows[0]).toEqual({ atUs: 100_000, workload: 'servegenMid98', input: 7348, output: 1786 });
    const streamed = await readTrace({ name: 'servegenMid98', stream: createReadStream(path, { highWaterMark: 1 }) });
    expect(await rowsOf(streamed)).toEqual(rows);
  });

  it('reads BurstGPT with its models as workloads', async () => {
    const trace = await readTrace(samplePath('burstGpt.csv'));
    expect(trace.workloads).toEqual(['ChatGPT', 'GPT-4']);
    expect((await rowsOf(trace)).map(({ atUs, workload, output }) => [atUs, workload, output])).toEqual([
      [5e6, 'ChatGPT', 18],
      [45e6, 'ChatGPT', 230],
      [45e6, 'GPT-4', 276],
      [118.5e6, 'ChatGPT', 0],
    ]);
  });

  it('reads Mooncake', async () => {
    const rows = await rowsOf(await readTrace(samplePath('mooncake.jsonl')));
    expect(rows).toHaveLength(40);
    expect(rows[0]).toMatchObject({ atUs: 0, input: 2290, output: 316 });
  });
});

describe('layouts with counts', () => {
  it('spreads a bucket over its time', async () => {
    const trace = await readTrace(samplePath('counts.csv'));
    expect(trace).toMatchObject({ arrivals: 'spread', hasTokens: false, spanUs: 30e6 });
    const at = (await rowsOf(trace)).map(({ atUs }) => atUs);
    expect([0, 5e6, 20e6].map((from) => at.filter((us) => us >= from && us < from + 5e6).length)).toEqual([7, 2, 11]);
    expect(at).toHaveLength(20);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(new Set(at).size).toBe(20);
  });

  it('spreads evenly', async () => {
    const at = (await rowsOf(await readTrace(counts('0,100000', '10,0')))).map(({ atUs }) => atUs);
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = at.filter((us) => us >= tenth * 1e6 && us < (tenth + 1) * 1e6).length;
      expect(Math.abs(share - 10_000)).toBeLessThan(5 * Math.sqrt(9000));
    }
  });

  it('reads the rows of many workloads and the wide table to the same requests', async () => {
    const rows = await readTrace(samplePath('azureFunctions2019.csv'));
    const wide = await readTrace(samplePath('azureFunctions2019Wide.csv'));
    expect(rows.workloads.length).toBeGreaterThan(5);
    expect(await rowsOf(wide)).toEqual(await rowsOf(rows));
    expect(wide.spanUs).toBe(3600e6);
  });

  it('keeps functions of the same name apart', async () => {
    const trace = await readTrace(
      text('HashOwner,HashApp,HashFunction,Trigger,1,2', 'o,a,f,http,1,0', 'o,b,f,timer,0,2'),
    );
    expect(await totalsOf(trace)).toEqual({ f: 1, 'f@b': 2 });
  });

  it('counts access logs by second, with zones and in any order', async () => {
    const trace = await readTrace(samplePath('access.txt'));
    const seconds = (await rowsOf(trace)).map(({ atUs }) => Math.floor(atUs / 1e6));
    expect(seconds).toEqual([0, 0, 3, 4, 30]);
    expect(trace.description).toContain('whole seconds');
  });

  it('reads rates of Prometheus', async () => {
    const trace = await readTrace(samplePath('prometheus.json'));
    // 0.25/s for two steps of 15 s is 7.5 requests: 4, then 3, and the half goes on to the 15 of the last step.
    expect(await totalsOf(trace)).toEqual({ chat: 4 + 3 + 16, images: 30 });
    expect(trace.description).toContain('1 values were NaN');
    expect(trace.spanUs).toBe(75e6);
  });

  it('reads counters with their restarts', async () => {
    const matrix = (values: [number, string][]) =>
      JSON.stringify({ resultType: 'matrix', result: [{ metric: {}, values }] });
    const trace = await readTrace(
      {
        name: 'a.json',
        text: matrix([
          [10, '100'],
          [20, '107'],
          [40, '117'],
          [50, '3'],
        ]),
      },
      { values: 'counter' },
    );
    const at = (await rowsOf(trace)).map(({ atUs }) => Math.floor(atUs / 10e6));
    expect([1, 2, 3, 4].map((step) => at.filter((one) => one === step).length)).toEqual([7, 5, 5, 3]);
  });
});

describe('options', () => {
  it('takes a window whose requests are those of the whole', async () => {
    const whole = (await rowsOf(await readTrace(samplePath('azureFunctions2019.csv')))).filter(
      ({ atUs }) => atUs >= 90e6 && atUs < 1500e6,
    );
    const part = await readTrace(samplePath('azureFunctions2019.csv'), {
      window: { fromSeconds: 90, toSeconds: 1500 },
    });
    expect(await rowsOf(part)).toEqual(whole.map((row) => ({ ...row, atUs: row.atUs - 90e6 })));
    expect(part.spanUs).toBe(1410e6);
  });

  it('takes every third', async () => {
    for (const sample of ['azureLlm2023.csv', 'azureFunctions2019.csv']) {
      const all = await rowsOf(await readTrace(samplePath(sample)));
      const third = await rowsOf(await readTrace(samplePath(sample), { every: 3 }));
      expect(third).toEqual(all.filter((_, index) => index % 3 === 0));
    }
  });

  it('limits and renames workloads', async () => {
    const file = text('workload,minute,requests', 'c,0,5', 'b,0,1', 'a,1,9', 'd,0,3');
    const trace = await readTrace(file, { workloads: { leastRequests: 2, mostRequests: 8, first: 1 } });
    expect(await totalsOf(trace)).toEqual({ c: 5 });
    const renamed = await readTrace(file, { rename: { a: 'x', b: 'x' } });
    expect(await totalsOf(renamed)).toEqual({ c: 5, x: 10, d: 3 });
  });

  it('gives other moments for another seed only', async () => {
    const at = async (seed: number) =>
      (await rowsOf(await readTrace(counts('0,50', '60,1'), { seed }))).map(({ atUs }) => atUs);
    expect(await at(1)).toEqual(await at(1));
    expect(await at(1)).not.toEqual(await at(2));
  });

  it.each([{ every: 0 }, { window: { fromSeconds: 5, toSeconds: 5 } }, { firstSeconds: -1 }, { bucketSeconds: 0 }])(
    'refuses %j',
    async (options) => {
      await expect(readTrace(counts('0,1'), options)).rejects.toThrow(RangeError);
    },
  );
});

describe('bad files', () => {
  it.each([
    [arrivals('0,1,1', 'x,1,1'), 3, 'arrival_s is "x": not a number'],
    [arrivals('0,1,1', '', '1,-2,1'), 4, 'input_tokens is -2: must not be negative'],
    [arrivals('0,1,1.5'), 2, 'output_tokens is 1.5: must be a whole number'],
    [arrivals('0x10,1,1'), 2, 'not a number'],
    [arrivals('5,1,1', '4,1,1'), 3, 'before the row above (5 s)'],
    [arrivals('5,1'), 2, 'has 2 columns: expected 3 (arrival_s, input_tokens, output_tokens)'],
    [arrivals(), 0, 'has no requests'],
    [counts('0,1', '0,1'), 3, 't_s is 0: not after the row above'],
    [counts('0,1'), 0, 'give bucketSeconds'],
    [counts('0,1', '5,1e10'), 3, 'too large'],
    [text('workload,minute,requests', 'a,3,1', 'a,2,1'), 3, 'minute is 2: not after the row above (3)'],
    [text('HashOwner,HashApp,HashFunction,Trigger,1,2', 'o,a,f,http,1'), 2, 'has 5 columns: expected 6'],
    [text('TIMESTAMP,ContextTokens,GeneratedTokens', '2023-02-30 00:00:00,1,1'), 2, 'there is no such time'],
    [
      text('{"timestamp":0,"input_length":1,"output_length":1}', '{"timestamp":0,"input_length":1}'),
      2,
      'has no output_length',
    ],
    [text('{"timestamp":0,"input_length":1,"output_length":1}', '{"timestamp":'), 2, 'is not JSON'],
    [
      text(
        '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /" 200 1',
        '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /" 200',
      ),
      2,
      'no line of an access log',
    ],
    [text('{"status":"error","error":"parse error"}'), 0, 'Prometheus says: parse error'],
    [text('{"status":"success","data":{"resultType":"vector","result":[]}}'), 0, 'expected a matrix'],
    [text(''), 0, 'is empty'],
    [
      text('', 'arrival,input_tokens,output_token', '1,1,1'),
      2,
      'the nearest is requests with tokens: arrival_s,input_tokens,output_tokens',
    ],
    [text('time_s,requests', '1,1'), 1, 't_s,requests'],
    [text('hello'), 1, 'known are'],
  ])('%j', async (file, line, message) => {
    const error = await readTrace(file).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TraceError);
    expect(error).toMatchObject({ file: 'load.csv', line });
    expect((error as Error).message).toContain(message);
  });

  it('says that there is no file, and that one is broken', async () => {
    await expect(readTrace('/nowhere/a.csv')).rejects.toThrow('/nowhere/a.csv: there is no such file');
    const cut = Buffer.from('H4sIAAAAAAAAA0vOL80rUSjJz00F', 'base64');
    await expect(readTrace({ name: 'cut.gz', stream: toStream(cut) })).rejects.toThrow('cut.gz: cannot be unpacked');
  });
});

describe('whatever the counts', () => {
  const buckets = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 2, maxLength: 40 });

  it('gives the same each time, in order, each bucket its count', async () => {
    await fc.assert(
      fc.asyncProperty(buckets, fc.integer({ min: 0, max: 1000 }), async (numbers, seed) => {
        fc.pre(numbers.some((one) => one > 0));
        const trace = await readTrace(counts(...numbers.map((one, index) => `${index * 7},${one}`)), { seed });
        const rows = await rowsOf(trace);
        expect(await rowsOf(trace)).toEqual(rows);
        const found = numbers.map(() => 0);
        let last = 0;
        for (const { atUs } of rows) {
          expect(atUs).toBeGreaterThanOrEqual(last);
          last = atUs;
          const bucket = Math.floor(atUs / 7e6);
          found[bucket] = (found[bucket] ?? 0) + 1;
        }
        expect(found).toEqual(numbers);
      }),
      { numRuns: 50 },
    );
  });

  it('gives recorded requests back as they were, over many blocks', async () => {
    const lines = Array.from({ length: 40_000 }, (_, index) => `${index * 0.001},${index % 100},${index % 7}`);
    const trace = await readTrace(arrivals(...lines));
    const rows = await rowsOf(trace);
    expect(rows.map(({ atUs, input, output }) => `${atUs / 1e6},${input},${output}`)).toEqual(
      lines.map((line) => line.replace(/^[^,]+/, (seconds) => String(Math.round(Number(seconds) * 1e6) / 1e6))),
    );
    expect(await rowsOf(trace)).toEqual(rows);
    // Too many to be kept: the file is read again.
    const source = await openSource(arrivals(...lines));
    const base = { name: trace.name, description: '' };
    const again = await requestTrace(arrivalRows, source, base, { every: 3 }, 10_000);
    const third = rows.filter((_, index) => index % 3 === 0);
    expect(await rowsOf(again)).toEqual(third);
    expect(await rowsOf(again)).toEqual(third);
  });
});

async function* toStream(bytes: Uint8Array) {
  yield bytes;
}
