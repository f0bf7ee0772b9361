import type { PolicyOnTrace } from '../compare/comparison.ts';
import type { RunResult } from '../contract/result.ts';
import {
  areaPath,
  type Axis,
  type Frame,
  growthPath,
  hoverStripes,
  linearAxis,
  stepPath,
  timeAxis,
  timeLabels,
  valueGrid,
  valueText,
  waitAxis,
} from './chart.ts';
import { means, peaks } from './downSample.ts';
import { html, type Markup } from './html.ts';
import { costText, lengthText, ratioText, shareText } from './text.ts';

/** What all plots of a trace have in common. */
export interface PlotScale {
  /** Begins every id. */
  id: string;
  spanMs: number;
  /** Points of a curve, and stripes that say values. */
  points: number;
  stripes: number;
  concurrency: number;
  onTimeMs: number;
  mostReplicas: number;
  mostWaitMs: number;
}

const wide: Frame = { width: 1100, height: 150, left: 46, right: 10, top: 8, bottom: 22 };
const panel: Frame = { width: 360, height: 224, left: 44, right: 6, top: 6, bottom: 20 };
const replicasBottom = 136;
const waitsTop = 152;
const sums: Frame = { width: 1100, height: 280, left: 62, right: 210, top: 10, bottom: 22 };

/** From a share of a run to a place: runs end when their last request does, which is not the same for all. */
function place({ left, right, width }: Frame, spanMs: number, run: RunResult): (share: number) => number {
  const { bucketMs, ready } = run.curves;
  const own = (bucketMs * ready.length) / spanMs;
  return (share) => left + Math.min(1, share * own) * (width - left - right);
}

function moment(run: RunResult, share: number): string {
  return lengthText(share * run.curves.bucketMs * run.curves.ready.length) || 'start';
}

/** Requests a second. */
export function demandPlot(run: RunResult, { id, spanMs, points, stripes }: PlotScale): Markup {
  const rates = means(run.curves.arrivals, points * 2);
  const stripeRates = peaks(run.curves.arrivals, stripes * 2);
  const axis = linearAxis(Math.max(...rates, 1e-6), wide.height - wide.bottom, wide.top);
  const x = place(wide, spanMs, run);
  return html`<figure><svg viewBox="0 0 ${wide.width} ${wide.height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">Arrivals a second on ${run.trace}</title><desc id="${id}-desc">Highest mean of a part: ${valueText(Math.max(...rates, 0))} a second, over ${lengthText(run.spanMs)}.</desc>${valueGrid(wide, axis)}<path class="arrivals" d="${areaPath(rates, x, axis.at)}"/>${timeLabels(wide, timeAxis(spanMs, wide.left, wide.width - wide.right, 10))}${hoverStripes(wide, stripeRates.length, (index) => `from ${moment(run, index / stripeRates.length)}: up to ${valueText(stripeRates[index] ?? 0)} a second`)}</svg></figure>`;
}

/** Replicas over demand, and the waits below. */
export function policyPanel(run: RunResult, summary: PolicyOnTrace, scale: PlotScale): Markup {
  const { id, spanMs, points, stripes, concurrency } = scale;
  const { curves } = run;
  const billed = means(curves.billed, points);
  const ready = means(curves.ready, points);
  const demand = means(curves.demand, points).map((slots) => slots / concurrency);
  const waits = peaks(curves.waitP99Ms, points);
  const x = place(panel, spanMs, run);
  const replicas = linearAxis(scale.mostReplicas, replicasBottom, panel.top);
  const wait = waitAxis(scale.mostWaitMs, panel.height - panel.bottom, waitsTop);
  const few = {
    ready: means(curves.ready, stripes),
    billed: means(curves.billed, stripes),
    waits: peaks(curves.waitP99Ms, stripes),
    demand: means(curves.demand, stripes),
  };
  const told = (index: number) =>
    `from ${moment(run, index / few.ready.length)}: ${valueText(few.ready[index] ?? 0)} replicas ready, ${valueText(few.billed[index] ?? 0)} paid for, demand for ${valueText((few.demand[index] ?? 0) / concurrency)}; wait p99 up to ${lengthText(few.waits[index] ?? 0)}`;
  const peak = curves.billed.reduce((most, value) => Math.max(most, value), 0);
  const topValue = replicas.ticks.at(-1)?.value ?? 0;
  const over =
    peak > topValue * 1.02
      ? html`<text class="over end" x="${panel.width - panel.right - 2}" y="${panel.top + 10}">▲ up to ${valueText(peak)}</text>`
      : html``;
  const floorY = panel.height - panel.bottom;
  const promiseY = wait.at(scale.onTimeMs).toFixed(1);
  return html`<figure><figcaption><b>${run.policy}</b><span class="badge ${summary.qualifies ? 'kept' : 'lost'}">${shareText(summary.onTimeShare)} % on time</span><span class="quiet">${ratioText(summary.ratio)} × optimum</span></figcaption>
<svg viewBox="0 0 ${panel.width} ${panel.height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">Replicas and waits of ${run.policy} on ${run.trace}</title><desc id="${id}-desc">At most ${run.mostReplicas} replicas, ${run.coldStarts} cold starts; 99 % wait at most ${lengthText(run.waitMs.p99)}, the longest ${lengthText(run.waitMs.max)}.</desc>
<clipPath id="${id}-clip"><rect x="${panel.left}" y="${panel.top}" width="${panel.width - panel.left - panel.right}" height="${replicasBottom - panel.top}"/></clipPath>
${valueGrid(panel, replicas)}<g clip-path="url(#${id}-clip)"><path class="billed" d="${areaPath(billed, x, replicas.at)}"/><path class="ready" d="${areaPath(ready, x, replicas.at)}"/><path class="ready-line" d="${stepPath(ready, x, replicas.at)}"/><path class="demand" d="${stepPath(demand, x, replicas.at)}"/></g>${over}
${valueGrid(panel, wait)}<defs><path id="${id}-wait" d="${areaPath(waits, x, wait.at, floorY)}"/><clipPath id="${id}-late"><rect x="${panel.left}" y="${waitsTop}" width="${panel.width}" height="${(wait.at(scale.onTimeMs) - waitsTop).toFixed(1)}"/></clipPath></defs><use class="wait" href="#${id}-wait"/><use class="wait late" href="#${id}-wait" clip-path="url(#${id}-late)"/><path class="promise" d="M${panel.left} ${promiseY}H${panel.width - panel.right}"/>
${timeLabels(panel, timeAxis(spanMs, panel.left, panel.width - panel.right, 5))}${hoverStripes(panel, few.ready.length, told)}</svg></figure>`;
}

interface Line {
  summary: PolicyOnTrace;
  run: RunResult;
  path: string;
  total: number;
}

interface Label {
  text: string;
  /** Of its text: what it belongs to. */
  className: string;
  total: number;
}

/** What has been paid by when, in money or replica-hours. */
export function moneyPlot(
  runs: readonly { run: RunResult; summary: PolicyOnTrace }[],
  boundSeconds: number,
  { id, spanMs, points }: PlotScale,
): Markup {
  const hasMoney = runs.every(({ run }) => run.costMicro !== null);
  const perSecond = ({ costMicro, replicaSeconds }: RunResult) =>
    hasMoney ? Number(costMicro ?? 0) / 1e6 / Math.max(1e-9, replicaSeconds) : 1 / 3600;
  const prices = runs.map(({ run }) => perSecond(run)).filter((price) => price > 0);
  const boundValue = boundSeconds * (prices.length > 0 ? Math.min(...prices) : 0);
  const most = Math.max(boundValue, ...runs.map(({ run }) => run.replicaSeconds * perSecond(run)));
  const axis = linearAxis(most, sums.height - sums.bottom, sums.top, 4);
  const lines = runs.map(({ run, summary }): Line => {
    const billed = means(run.curves.billed, points);
    const all = billed.reduce((sum, value) => sum + value, 0);
    const total = run.replicaSeconds * perSecond(run);
    let sum = 0;
    const grown = billed.map((value) => (sum += value) * (all > 0 ? total / all : 0));
    return { run, summary, total, path: growthPath(grown, place(sums, spanMs, run), axis.at) };
  });
  const far = sums.width - sums.right;
  const unit = hasMoney ? 'money' : 'replica-hours';
  const value = ({ run, summary, total }: Line) =>
    hasMoney
      ? costText(summary.seeds === 1 ? run.costMicro : String(Math.round(total * 1e6)), run.currency)
      : valueText(total);
  const currency = runs[0]?.run.currency ?? null;
  const least = hasMoney ? costText(String(Math.round(boundValue * 1e6)), currency) : valueText(boundValue);
  const labels: Label[] = lines.map((line) => ({
    text: `${shortened(line.run.policy)} ${value(line)}`,
    className: line.summary.isBest ? ' name' : '',
    total: line.total,
  }));
  const labelled = spread(
    [...labels, { text: `optimum, at least ${least}`, className: ' least', total: boundValue }],
    axis,
  );
  const boundY = axis.at(boundValue).toFixed(1);
  return html`<figure><svg viewBox="0 0 ${sums.width} ${sums.height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">Sum of ${unit} over time</title><desc id="${id}-desc">${lines.map((line) => `${line.run.policy} ${value(line)}`).join(', ')}; the optimum is at least ${least}.</desc>${valueGrid(sums, axis)}
<path class="bound" d="M${sums.left} ${boundY}H${far}"><title>The optimum costs at least ${least}</title></path>
${lines.map(({ run, summary, path }) => html`<path class="sum${kind(summary)}" d="${path}"><title>${run.policy}</title></path>`)}
${labelled.map(({ text, className, y, own }) => html`<path class="grid" d="M${far + 2} ${own.toFixed(1)}L${far + 12} ${y.toFixed(1)}"/><text class="label${className}" x="${far + 15}" y="${y.toFixed(1)}" dy="4">${text}</text>`)}
${timeLabels(sums, timeAxis(spanMs, sums.left, far, 8))}</svg></figure>`;
}

function kind({ isBest, qualifies }: PolicyOnTrace): string {
  return isBest ? ' best' : qualifies ? '' : ' lost';
}

function shortened(name: string): string {
  return name.length > 18 ? `${name.slice(0, 17)}…` : name;
}

const labelHeight = 14;

/** Moves labels apart that would lie on one another; from the top, and back up where the last left the frame. */
function spread(labels: readonly Label[], axis: Axis): (Label & { y: number; own: number })[] {
  const placed = labels
    .toSorted((a, b) => b.total - a.total)
    .map((label) => ({ ...label, y: axis.at(label.total), own: axis.at(label.total) }));
  let least = sums.top + 4;
  for (const label of placed) {
    label.y = Math.max(label.y, least);
    least = label.y + labelHeight;
  }
  let most = sums.height - 6;
  for (const label of placed.toReversed()) {
    label.y = Math.min(label.y, most);
    most = label.y - labelHeight;
  }
  return placed;
}
