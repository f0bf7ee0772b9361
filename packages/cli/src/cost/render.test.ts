import type { CostReport } from '@ebb/documents';
import { expect, test } from 'vitest';
import { colorsFor } from '../text/colors.ts';
import { costCsv } from './csv.ts';
import { costLines } from './render.ts';

const from = new Date(2026, 10, 16, 9, 5).getTime();
const figures = {
  currency: 'USD',
  costMicro: '3400000',
  replicaSeconds: 4 * 3600,
  capacityMicro: { 'on-demand': '3000000', spot: '400000' },
  idle: { share: 0.375, costMicro: '1275000' },
  alwaysOnMicro: '14000000',
  requests: 12,
};
const report = (more: Partial<CostReport> = {}): CostReport => ({
  at: from,
  from,
  to: from + 86_400_000,
  by: 'workload',
  namespace: null,
  groups: [{ name: 'default/web', ...figures }],
  totals: [figures],
  forecasts: [],
  budgets: [],
  ...more,
});
const lines = (more?: Partial<CostReport>) =>
  costLines(report(more), colorsFor(false)).map((line) => line.replace(/ +/g, ' '));

test('groups, their total, and what always-on would have cost', () => {
  expect(lines()).toEqual([
    '2026-11-16 09:05 to 2026-11-17 09:05',
    'WORKLOAD COST OF IT SPOT REPLICA HOURS IDLE IDLE COST ALWAYS ON SAVED REQUESTS',
    'default/web $3.40 $0.40 4.00 37.5% $1.28 $14.00 76% 12',
    'total $3.40 $0.40 4.00 37.5% $1.28 $14.00 76% 12',
  ]);
});

test('what is not known is a dash, and an empty group has a name', () => {
  const bare = {
    ...figures,
    capacityMicro: { 'on-demand': '3400000' },
    idle: null,
    alwaysOnMicro: null,
    requests: null,
  };
  expect(lines({ by: 'pool', groups: [{ name: '', ...bare }], totals: [bare], namespace: 'shop' })).toEqual([
    '2026-11-16 09:05 to 2026-11-17 09:05 in namespace shop',
    'POOL COST REPLICA HOURS IDLE IDLE COST REQUESTS',
    '(no pool) $3.40 4.00 - - -',
    'total $3.40 4.00 - - -',
  ]);
  expect(lines({ groups: [], totals: [] })[1]).toBe('nothing was paid for');
  const euro = { ...figures, currency: 'EUR' };
  expect(
    lines({ totals: [figures, euro] })
      .slice(-2)
      .map((line) => line.split(' $')[0]?.split(' €')[0]),
  ).toEqual(['total USD', 'total EUR']);
});

test('the month and the budgets', () => {
  const forecast = {
    currency: 'USD',
    monthStart: Date.UTC(2026, 10, 1),
    monthEnd: Date.UTC(2026, 11, 1),
    spentMicro: '12300000',
    expectedMicro: '42000000',
    lowMicro: '38000000',
    highMicro: '46000000',
    days: 15,
    basis: 'weekday' as const,
  };
  const budget = { namespace: null, currency: 'USD', mode: 'stopGrowing' as const, limitMicro: '10000000' };
  const told = (more: Partial<CostReport>) => lines({ groups: [], totals: [], ...more }).slice(3);
  expect(told({ forecasts: [forecast], budgets: [{ ...budget, spentMicro: '9999999' }] })).toEqual([
    'November so far $12.30, about $42.00 at its end ($38.00 to $46.00 in four of five such months; from 15 days, by weekday)',
    'budget: $10.00 of $10.00 this month (99%)',
  ]);
  const short = { ...forecast, lowMicro: null, highMicro: null, days: 2, basis: 'mean' as const };
  const none = { ...forecast, expectedMicro: null, days: 0, basis: 'none' as const };
  const over = { ...budget, namespace: 'shop', spentMicro: '12000000' };
  expect(told({ forecasts: [short, none], budgets: [over, { ...over, mode: 'warn' }] })).toEqual([
    'November so far $12.30, about $42.00 at its end (from 2 days: too few for a range)',
    'November so far $12.30; too little is known to say how it ends (less than a day)',
    'budget of namespace shop: $12.00 of $10.00 this month (120%); nothing more is started',
    'budget of namespace shop: $12.00 of $10.00 this month (120%); it only warns',
  ]);
});

test('CSV has whole micro-units and quotes what needs it', () => {
  const groups = [
    { name: 'a,"b"', ...figures },
    { name: 'c', ...figures, idle: null, alwaysOnMicro: null, requests: null },
  ];
  expect(costCsv(report({ groups })).split('\n').slice(1)).toEqual([
    '"a,""b""",USD,3400000,14400,0.375,1275000,14000000,12,3000000,400000,0',
    'c,USD,3400000,14400,,,,,3000000,400000,0',
    '',
  ]);
});
