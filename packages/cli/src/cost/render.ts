import type { BudgetStatus, CostForecast, CostGroup, CostReport, CostTotal, MachineCost } from '@ebb/documents';
import type { Colors } from '../text/colors.ts';
import { countText, moneyText, savedPercent } from '../text/format.ts';
import { type Column, table } from '../text/table.ts';

interface Line extends CostTotal {
  name: string;
}

/** The report as it stands in a terminal. */
export function costLines(report: CostReport, colors: Colors): string[] {
  const { groups, totals, forecasts, budgets, namespace } = report;
  const where = namespace === null ? '' : ` in namespace ${namespace}`;
  const lines = [colors.bold(`${timeText(report.from)} to ${timeText(report.to)}${where}`)];
  if (groups.length === 0) lines.push('nothing was paid for');
  else {
    const all = totals.map((total) => ({ ...total, name: totals.length > 1 ? `total ${total.currency}` : 'total' }));
    const shown = groups.map((group) => ({ ...group, name: group.name || emptyName(report) }));
    const [head = '', ...rows] = table(columnsOf(report), [...shown, ...all]);
    const body = rows.slice(0, shown.length);
    lines.push(colors.dim(head), ...body, ...rows.slice(shown.length).map((row) => colors.bold(row)));
  }
  const machines = (report.machines ?? []).map(machineLine);
  const more = [
    ...machines,
    ...forecasts.flatMap(forecastLine),
    ...budgets.map((budget) => budgetLine(budget, colors)),
  ];
  return more.length > 0 ? [...lines, '', ...more] : lines;
}

function emptyName({ by }: CostReport): string {
  return by.startsWith('label:') ? '(without the label)' : '(no pool)';
}

function columnsOf({ by, groups }: CostReport): Column<Line>[] {
  const hasSpot = groups.some(({ capacityMicro }) => Object.keys(capacityMicro).some((type) => type !== 'on-demand'));
  const isScaled = groups.some(({ alwaysOnMicro }) => alwaysOnMicro !== null);
  const money = (micro: string | null | undefined, { currency }: CostGroup | Line) =>
    micro === null || micro === undefined ? '-' : moneyText(micro, currency);
  return [
    { title: by.replace('label:', ''), value: ({ name }) => name },
    { title: 'cost', align: 'right', value: (line) => money(line.costMicro, line) },
    ...(hasSpot ? [column('of it spot', (line) => money(line.capacityMicro['spot'] ?? '0', line))] : []),
    column('replica hours', ({ replicaSeconds }) => (replicaSeconds / 3600).toFixed(2)),
    column('idle', ({ idle }) => (idle ? `${(idle.share * 100).toFixed(1)}%` : '-')),
    column('idle cost', (line) => money(line.idle?.costMicro, line)),
    ...(isScaled ? [column('always on', (line) => money(line.alwaysOnMicro, line)), column('saved', savedText)] : []),
    column('requests', ({ requests }) => (requests === null ? '-' : String(requests))),
  ];
}

function column(title: string, value: (line: Line) => string): Column<Line> {
  return { title, align: 'right', value };
}

function savedText({ costMicro, alwaysOnMicro }: Line): string {
  const saved = alwaysOnMicro === null ? null : savedPercent(BigInt(costMicro), BigInt(alwaysOnMicro));
  return saved === null ? '-' : `${saved}%`;
}

function machineLine({ cluster, currency, costMicro, leastMicro }: MachineCost): string {
  const [cost, least] = [BigInt(costMicro), BigInt(leastMicro)];
  const paid = `machines of cluster ${cluster}: ${moneyText(cost, currency)}`;
  const share = least > 0n ? ` (${Number(((cost - least) * 1000n) / least) / 10}% above it)` : '';
  return `${paid}; no plan for the same replicas costs less than ${moneyText(least, currency)}${share}`;
}

const monthNames = 'January February March April May June July August September October November December'.split(' ');

function forecastLine(forecast: CostForecast): string[] {
  const { currency, spentMicro, expectedMicro, lowMicro, highMicro, days, basis } = forecast;
  const month = monthNames[new Date(forecast.monthStart).getUTCMonth()] ?? '';
  const spent = `${month} so far ${moneyText(spentMicro, currency)}`;
  if (expectedMicro === null) return [`${spent}; too little is known to say how it ends (less than a day)`];
  const about = `about ${moneyText(expectedMicro, currency)} at its end`;
  const from = `from ${countText(days, 'day')}${basis === 'weekday' ? ', by weekday' : ''}`;
  if (lowMicro === null || highMicro === null) return [`${spent}, ${about} (${from}: too few for a range)`];
  const range = `${moneyText(lowMicro, currency)} to ${moneyText(highMicro, currency)}`;
  return [`${spent}, ${about} (${range} in four of five such months; ${from})`];
}

function budgetLine({ namespace, currency, mode, limitMicro, spentMicro }: BudgetStatus, colors: Colors): string {
  const [spent, limit] = [BigInt(spentMicro), BigInt(limitMicro)];
  const whose = namespace === null ? 'budget' : `budget of namespace ${namespace}`;
  const share = limit > 0n ? ` (${(spent * 100n) / limit}%)` : '';
  const text = `${whose}: ${moneyText(spent, currency)} of ${moneyText(limit, currency)} this month${share}`;
  if (spent < limit) return text;
  return colors.red(`${text}; ${mode === 'stopGrowing' ? 'nothing more is started' : 'it only warns'}`);
}

/** Local time to the minute. */
function timeText(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
