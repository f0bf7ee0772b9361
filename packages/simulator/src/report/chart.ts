import { html, join, type Markup } from './html.ts';
import { lengthText, threeDigits } from './text.ts';

/** Of a plot, in units of its view box. */
export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Axis {
  /** From a value to a coordinate. */
  at: (value: number) => number;
  ticks: { value: number; label: string }[];
}

/** A value axis that begins at 0. */
export function linearAxis(most: number, from: number, to: number, count = 3): Axis {
  const step = roundStep(most / count);
  const top = Math.max(step, Math.ceil(most / step - 1e-9) * step);
  const values = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  return {
    at: (value) => from + (value / top) * (to - from),
    ticks: values.map((value) => ({ value, label: tickText(value, step) })),
  };
}

/** Waits from 10 ms on; what is less lies on the floor. */
export function waitAxis(mostMs: number, from: number, to: number): Axis {
  const floorMs = 10;
  const known = [10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 360_000_000];
  const topMs = known.find((ms) => ms >= mostMs * 0.999) ?? mostMs;
  const span = Math.log(Math.max(topMs, 1000) / floorMs);
  const at = (ms: number) => from + (Math.log(Math.max(ms, floorMs) / floorMs) / span) * (to - from);
  const shown = [floorMs, 1000, ...(topMs > 10_000 ? [topMs] : [])];
  return { at, ticks: shown.map((ms) => ({ value: ms, label: lengthText(ms) })) };
}

const unitsMs = [60_000, 300_000, 600_000, 1_200_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000];

/** Time from the beginning of a trace. */
export function timeAxis(spanMs: number, from: number, to: number, count = 6): Axis {
  const wanted = spanMs / count;
  const day = 86_400_000;
  const stepMs =
    unitsMs.find((unit) => unit >= wanted) ?? (wanted > day ? Math.ceil(wanted / day) * day : spanMs / count);
  const values = Array.from({ length: Math.floor(spanMs / stepMs) + 1 }, (_, index) => index * stepMs);
  return {
    at: (ms) => from + (ms / spanMs) * (to - from),
    ticks: values.map((value) => ({ value, label: timeText(value, stepMs) })),
  };
}

function timeText(ms: number, stepMs: number): string {
  if (stepMs % 86_400_000 === 0) return `day ${ms / 86_400_000 + 1}`;
  const hours = Math.floor(ms / 3_600_000);
  if (stepMs % 3_600_000 === 0) return `${hours} h`;
  return hours === 0
    ? `${Math.round(ms / 60_000)} min`
    : `${hours}:${String(Math.round(ms / 60_000) % 60).padStart(2, '0')}`;
}

function roundStep(rough: number): number {
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((one) => one * power >= rough - 1e-12) ?? 10) * power;
}

function tickText(value: number, step: number): string {
  if (value === 0) return '0';
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

const digits = (value: number) => String(Math.round(value * 10) / 10);

/** Path of a curve of equal parts of time, as steps. Parts of one value are one line. */
export function stepPath(values: Float64Array, x: (share: number) => number, y: (value: number) => number): string {
  let path = '';
  let before = '';
  for (const [index, value] of values.entries()) {
    const height = digits(y(value));
    if (height === before) continue;
    path += index === 0 ? `M${digits(x(0))} ${height}` : `H${digits(x(index / values.length))}V${height}`;
    before = height;
  }
  return path === '' ? '' : `${path}H${digits(x(1))}`;
}

/** The same, closed down to the floor: where the value 0 lies, unless it is said. */
export function areaPath(
  values: Float64Array,
  x: (share: number) => number,
  y: (value: number) => number,
  floorY = y(0),
): string {
  const path = stepPath(values, x, y);
  return path === '' ? '' : `${path}V${digits(floorY)}H${digits(x(0))}Z`;
}

/** Straight lines from end of part to end of part, from 0 on: for sums that grow. */
export function growthPath(sums: Float64Array, x: (share: number) => number, y: (value: number) => number): string {
  const points = Array.from(sums, (value, index) => `${digits(x((index + 1) / sums.length))} ${digits(y(value))}`);
  return `M${digits(x(0))} ${digits(y(0))}L${points.join(' ')}`;
}

/** Lines of the value axis with their labels left of the frame. */
export function valueGrid({ width, left, right }: Frame, axis: Axis): Markup {
  return join(
    axis.ticks.map(({ value, label }) => {
      const y = digits(axis.at(value));
      return html`<path class="grid" d="M${left} ${y}H${width - right}"/><text class="tick end" x="${left - 6}" y="${y}" dy="3.5">${label}</text>`;
    }),
  );
}

/** Labels of time below the frame; the last is left out where it would be cut. */
export function timeLabels({ width, height, right, bottom }: Frame, axis: Axis): Markup {
  const y = height - bottom + 14;
  return join(
    axis.ticks.map(({ value, label }, index) => {
      const x = axis.at(value);
      if (x > width - right + 0.5) return html``;
      const isLast = x > width - right - 24;
      return html`<text class="tick ${isLast ? 'end' : index === 0 ? '' : 'middle'}" x="${digits(x)}" y="${y}">${label}</text>`;
    }),
  );
}

/** Stripes without colour that say what was when the pointer rests on them. */
export function hoverStripes(frame: Frame, count: number, textOf: (index: number) => string): Markup {
  const { width, height, left, right, top, bottom } = frame;
  const each = (width - left - right) / count;
  return html`<g class="hover">${Array.from(
    { length: count },
    (_, index) =>
      html`<rect x="${digits(left + index * each)}" y="${top}" width="${digits(each)}" height="${height - top - bottom}"><title>${textOf(index)}</title></rect>`,
  )}</g>`;
}

export function valueText(value: number): string {
  return value === 0 ? '0' : threeDigits(value);
}
