import { type Axis, type Frame, linearAxis, valueGrid } from '../report/chart.ts';
import { html, type Markup } from '../report/html.ts';
import { costText, shareText } from '../report/text.ts';
import { moneyText } from './sentences.ts';
import type { Tuning, TuningRun } from './tuning.ts';

const frame: Frame = { width: 1100, height: 380, left: 60, right: 24, top: 14, bottom: 44 };
const marks = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
/** What never happened stands on a line of its own below the logarithmic scale. */
const floor = 0.00005;

/** Logarithmic where settings cost many times as much as others. */
function costAxis(sizes: readonly number[], from: number, to: number): Axis {
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  if (!(least > 0) || most <= 4 * least) return linearAxis(most, from, to, 6);
  const [low, high] = [least / 1.1, most * 1.1];
  const at = (value: number) => from + (Math.log(value / low) / Math.log(high / low)) * (to - from);
  const power = 10 ** Math.floor(Math.log10(low));
  const values = [1, 10, 100, 1000].flatMap((step) => [1, 2, 5].map((digit) => digit * step * power));
  const inside = values.filter((value) => value >= low && value <= high);
  return { at, ticks: inside.map((value) => ({ value, label: String(Number(value.toPrecision(3))) })) };
}

/** Every setting that was tried: cost to the right, late share upwards, the front as a line. */
export function paretoChart(tuning: Tuning): Markup {
  const { tried, front, present, tuned, model } = tuning;
  const { width, height, left, right, top, bottom } = frame;
  const isMoney = present.training.costMicro !== null;
  const sizeOf = ({ costMicro, replicaSeconds }: TuningRun) => (isMoney ? Number(costMicro) : replicaSeconds / 3600);
  const shown = [...tried, present.training, present.validation, tuned.validation];
  const axis = costAxis(shown.map(sizeOf), left, width - right);
  const lateOf = ({ onTimeShare }: TuningRun) => Math.max(floor, 1 - onTimeShare);
  const ceiling = marks.find((mark) => mark >= Math.max(...shown.map(lateOf), 0.01)) ?? 1;
  const y = (late: number) =>
    height - bottom - (Math.log(late / floor) / Math.log(ceiling / floor)) * (height - top - bottom);
  const x = (run: TuningRun) => axis.at(sizeOf(run)).toFixed(1);
  const at = (run: TuningRun) => `${x(run)} ${y(lateOf(run)).toFixed(1)}`;
  const label = (run: TuningRun) =>
    `${moneyText(run)}, ${shareText(run.onTimeShare)} % on time: ${Object.entries(run.values)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`;
  const dot = (run: TuningRun, kind: string, radius: number, what: string) =>
    html`<circle class="dot${kind}" cx="${x(run)}" cy="${y(lateOf(run)).toFixed(1)}" r="${radius}"><title>${what}${label(run)}</title></circle>`;
  const ticks = [
    { value: floor, label: 'none' },
    ...marks
      .filter((mark) => mark <= ceiling)
      .map((value) => ({ value, label: `${Number((value * 100).toPrecision(2))} %` })),
  ];
  const promise = y(Math.max(floor, 1 - model.onTimeShare)).toFixed(1);
  const text = (run: TuningRun, what: string) =>
    html`<text class="label name" x="${x(run)}" y="${(y(lateOf(run)) - 11).toFixed(1)}" text-anchor="middle">${what}</text>`;
  return html`<figure><svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="pareto-title pareto-desc"><title id="pareto-title">Cost against late share of every setting</title><desc id="pareto-desc">Filled dots keep the promise; the line is the front; the table has the numbers.</desc>${valueGrid(frame, { at: y, ticks })}${axis.ticks.map(
    ({ value, label: tick }) =>
      html`<path class="grid" d="M${axis.at(value).toFixed(1)} ${top}V${height - bottom}"/><text class="tick middle" x="${axis.at(value).toFixed(1)}" y="${height - bottom + 16}">${isMoney ? costText(String(Math.round(value)), present.training.currency) : `${tick} h`}</text>`,
  )}<text class="tick end" x="${width - right}" y="${height - 6}">${isMoney ? 'cost' : 'replica-hours'} of the part</text><path class="promise" d="M${left} ${promise}H${width - right}"/><path class="sum best" d="${front.map((run, index) => `${index === 0 ? 'M' : 'L'}${at(run)}`).join('')}"/>${tried.map((run) => dot(run, run.qualifies ? '' : ' lost', 4, ''))}<path class="bound" style="stroke-width:1.2" d="M${at(tuned.training)}L${at(tuned.validation)}M${at(present.training)}L${at(present.validation)}"/>${dot(present.validation, present.validation.qualifies ? '' : ' lost', 6.5, 'Present, validation part: ')}${dot(tuned.validation, tuned.validation.qualifies ? '' : ' lost', 6.5, 'Found, validation part: ')}${text(present.training, 'now')}${text(tuned.training, 'found')}${text(present.validation, 'now, judged')}${text(tuned.validation, 'found, judged')}</svg></figure>`;
}
