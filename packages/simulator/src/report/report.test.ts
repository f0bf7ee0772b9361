import { describe, expect, test } from 'vitest';
import { comparisonOf } from './comparison.fixture.ts';
import { comparisonCsv } from './csv.ts';
import { renderReport } from './report.ts';
import { modelSentences, summarySentences } from './sentences.ts';
import { costText, hoursText, lengthText, ratioText, shareText } from './text.ts';

const evil = `<img src=x onerror="alert('1')">&amp;`;
const three = comparisonOf(
  [
    { trace: 'day', policy: 'ebb', replicaSeconds: 5400, onTime: 995 },
    { trace: 'day', policy: 'keda', replicaSeconds: 7560, onTime: 990 },
    { trace: 'day', policy: evil, replicaSeconds: 4000, onTime: 989 },
    { trace: 'day', policy: 'always-on', replicaSeconds: 3900, onTime: 1000 },
    { trace: 'week', policy: 'ebb', replicaSeconds: 7200, onTime: 1000 },
    { trace: 'week', policy: 'keda', replicaSeconds: 36_000, onTime: 500 },
    { trace: 'week', policy: evil, replicaSeconds: 4000, onTime: 0 },
    { trace: 'week', policy: 'always-on', replicaSeconds: 9000, onTime: 1000 },
  ],
  ['always-on'],
);

const voidElements = new Set(['meta', 'img', 'br']);

/** Names of elements that are closed in another order than they were opened. */
function misnested(page: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, slash, name = '', rest = ''] of page.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (slash) {
      if (open.pop() !== name) wrong.push(name);
    } else if (!rest.endsWith('/') && !voidElements.has(name)) open.push(name);
  }
  return [...wrong, ...open];
}

test('the model in words has what a full replica makes of a service, and whether there are faults', () => {
  const [plain = '', ...others] = modelSentences(three);
  expect(plain).not.toContain('times as long');
  expect(others.join(' ')).not.toContain('Faults');
  const { model } = three;
  const batching = { slowdown: [[1, 1] as const, [2 * model.concurrency - 1, 2] as const] };
  const faults = { ...model.faults, hangEveryHours: 5 };
  const text = modelSentences({ ...three, model: { ...model, batching, faults } }).join(' ');
  expect(text).toContain(`, and 1.5 times as long with ${model.concurrency} at once;`);
  expect(text).toContain('Faults are injected as the model says.');
});

describe('the report', () => {
  const page = renderReport(three, { command: 'ebb rehearse --trace <x>', version: '1.2.3' });

  test('is one well-formed page without scripts or addresses', () => {
    expect(misnested(page)).toEqual([]);
    expect(page.match(/<script|https?:|<[^>]*\s(src|on\w+)=|url\((?!#)|@import/g)).toBeNull();
    expect(page.match(/NaN|undefined|Infinity|null/g)).toBeNull();
    for (const text of ['<!doctype html>', '@media print', 'prefers-color-scheme:dark']) {
      expect(page.includes(text), text).toBe(true);
    }
  });

  test('escapes what others named', () => {
    expect(page.match(/<img/g)).toBeNull();
    for (const text of [
      '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;',
      'rehearse --trace &lt;x&gt;',
    ]) {
      expect(page.includes(text), text).toBe(true);
    }
  });

  test('every picture has a title and a description, and every id is there once', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const pictures = [...page.matchAll(/<svg[^>]*role="img"[^>]*aria-labelledby="([^"]+)"/g)];
    // The overview, then for each trace arrivals, a panel for each of four policies, and the money.
    expect(pictures.length).toBe(1 + 2 * 6);
    for (const [, names = ''] of pictures) for (const id of names.split(' ')) expect(ids).toContain(id);
    for (const [, id] of page.matchAll(/(?:href="|url\()#([\w-]+)/g)) expect(ids).toContain(id);
  });

  test('has the numbers as a table too, the best marked and what misses the promise', () => {
    expect(page.match(/<tr class="best"><th scope="row">ebb<\/th>\s*<td><span class="badge kept">kept/g)).toHaveLength(
      2,
    );
    expect(page.match(/<tr class="missed"><th scope="row">&lt;img/g)).toHaveLength(3);
    expect(page.match(/always-on <span class="quiet">hindsight<\/span>/g)).toHaveLength(3);
    for (const text of ['1.50', '2.10', '99.50 %', '98.9 %', '$1.80', '61 s', '1.23 s']) {
      expect(page.includes(text), text).toBe(true);
    }
  });

  test('stays a file to mail, with many policies on many traces', () => {
    const many = Array.from({ length: 12 }, (_, trace) =>
      Array.from({ length: 8 }, (__, policy) => ({
        trace: `trace-${trace}`,
        policy: `policy-${policy}`,
        replicaSeconds: 4000 + 500 * policy,
        onTime: 995,
      })),
    ).flat();
    const large = renderReport(comparisonOf(many));
    expect(misnested(large)).toEqual([]);
    expect(large.length).toBeLessThan(1_000_000);
    expect(page.length).toBeLessThan(400_000);
  });

  test('the same comparison gives the same page', () => {
    expect(renderReport(three, { command: 'ebb rehearse --trace <x>', version: '1.2.3' })).toBe(page);
  });
});

describe('in words', () => {
  test('who keeps the promise, at what price, and what hindsight is worth', () => {
    expect(summarySentences(three)).toEqual([
      'On all 2 traces ebb keeps the promise at 1.73 × the optimum (geometric mean); no other policy does; with hindsight always-on keeps it at 1.65 ×.',
      `day: ebb keeps the promise at 1.50 × the optimum, with 1.50 replica-hours ($1.80); keda needs 2.10 ×; the promise is missed by ${evil} 98.9 %; with hindsight always-on keeps it at 1.08 ×.`,
      `week: ebb keeps the promise at 2.00 × the optimum, with 2.00 replica-hours ($2.40); the promise is missed by keda 50.0 % and ${evil} 0.0 %; with hindsight always-on keeps it at 2.50 ×.`,
    ]);
  });

  test('nobody', () => {
    const none = comparisonOf([
      { trace: 'day', policy: 'a', replicaSeconds: 4000, onTime: 900 },
      { trace: 'day', policy: 'b', replicaSeconds: 4000, onTime: 989 },
    ]);
    expect(summarySentences(none)).toEqual(['day: no policy keeps the promise; on time were a 90.0 % and b 98.9 %.']);
    expect(none.summaries.some(({ isBest }) => isBest)).toBe(false);
    expect(misnested(renderReport(none))).toEqual([]);
  });
});

test('a row of the CSV is a run, quoted where it must be', () => {
  const lines = comparisonCsv(three).split('\r\n');
  expect(lines).toHaveLength(1 + 8 + 1);
  expect(lines[0]).toMatch(/^trace,policy,seed,requests,served,on_time_share,qualifies,replica_seconds/);
  expect(lines[1]).toMatch(/^day,ebb,1,1000,1000,0\.995,true,5400,1\.5,1\.5,/);
  expect(lines[1]).toContain(',1.800000,USD,');
  expect(lines[3]).toContain(`"<img src=x onerror=""alert('1')"">&amp;"`);
});

test('numbers are not rounded up to a promise', () => {
  expect([0.98999, 0.999999, 1, 0.9, 0.995].map(shareText)).toEqual(['98.9', '99.99', '100', '90.0', '99.50']);
  expect([1.004, 9.996, 123.4, 12_345].map(ratioText)).toEqual(['1.00', '10.0', '123', '12,345']);
  expect([0, 12.4, 1240, 60_000, 125_000, 7_200_000, 604_800_000].map(lengthText)).toEqual([
    '0',
    '12 ms',
    '1.24 s',
    '60 s',
    '2 min 5 s',
    '2 h',
    '7 d',
  ]);
  expect(costText('1200000', 'USD')).toBe('$1.20');
  expect(costText('4200', 'CHF')).toBe('0.0042 CHF');
  expect(costText(null, null)).toBe('–');
  expect([5400, 102, 0].map(hoursText)).toEqual(['1.50 h', '0.0283 h', '0 h']);
});
