import type { Comparison } from './comparison.ts';
import type { Curve } from './curve.ts';
import type { Load } from './load.ts';

const width = 860;
const left = 96;
const right = 16;
const rowHeight = 92;
const arrivalsHeight = 56;
const top = 44;
const gap = 22;
const colors = { live: '#1f5fa8', rehearsal: '#d1495b', arrivals: '#8a8f98', axis: '#c9ccd1', text: '#30343b' };

/** Usable replicas over time: a line for the live run, a dashed one for the rehearsal, below the requests of each second. */
export function drawCurves(load: Load, comparisons: readonly Comparison[]): string {
  const height = top + arrivalsHeight + comparisons.length * (rowHeight + gap) + 30;
  const x = (ms: number) => left + (ms / load.spanMs) * (width - left - right);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    '<title>Usable replicas, live and rehearsed</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    legend(),
    ...arrivals(load, x),
  ];
  for (const [index, comparison] of comparisons.entries()) {
    parts.push(...panel(comparison, load.spanMs, x, top + arrivalsHeight + gap + index * (rowHeight + gap)));
  }
  for (let seconds = 0; seconds * 1000 <= load.spanMs; seconds += 10) {
    parts.push(label(x(seconds * 1000), height - 8, `${seconds} s`, 'middle'));
  }
  return `${parts.join('\n')}\n</svg>\n`;
}

function legend(): string {
  const line = (atX: number, color: string, dash: string, name: string) =>
    `<path d="M${atX} 18h28" stroke="${color}" stroke-width="2" stroke-dasharray="${dash}"/>${label(atX + 34, 22, name, 'start')}`;
  return line(left, colors.live, '', 'live') + line(left + 90, colors.rehearsal, '5 3', 'rehearsal');
}

function arrivals({ requests, spanMs }: Load, x: (ms: number) => number): string[] {
  const counts = Array.from({ length: Math.ceil(spanMs / 1000) }, () => 0);
  for (const { atMs } of requests) counts[Math.floor(atMs / 1000)] = (counts[Math.floor(atMs / 1000)] ?? 0) + 1;
  const most = Math.max(1, ...counts);
  const bottom = top + arrivalsHeight;
  const bars = counts.flatMap((count, second) => {
    if (count === 0) return [];
    const tall = (count / most) * arrivalsHeight;
    const from = x(second * 1000);
    const wide = x(second * 1000 + 1000) - from - 1;
    return `<rect x="${number(from)}" y="${number(bottom - tall)}" width="${number(wide)}" height="${number(tall)}" fill="${colors.arrivals}"/>`;
  });
  return [...bars, label(left - 10, bottom, 'requests/s', 'end'), label(left - 10, top + 10, String(most), 'end')];
}

function panel({ policy, curves }: Comparison, spanMs: number, x: (ms: number) => number, atY: number): string[] {
  const most = Math.max(1, ...[...curves.live.ready, ...curves.rehearsal.ready].map(({ count }) => count));
  const y = (count: number) => atY + rowHeight - (count / most) * rowHeight;
  const grid = Array.from({ length: most + 1 }, (_, count) => {
    const line = `<path d="M${left} ${number(y(count))}H${width - right}" stroke="${colors.axis}" stroke-width="0.5"/>`;
    return line + label(left - 10, y(count) + 4, String(count), 'end');
  });
  const step = (curve: Curve) =>
    curve
      .map(
        ({ atMs, count }, index) =>
          `${index === 0 ? 'M' : 'H'}${number(x(atMs))}${index === 0 ? ' ' : 'V'}${number(y(count))}`,
      )
      .join('') + `H${number(x(spanMs))}`;
  return [
    ...grid,
    `<text x="8" y="${atY + 12}" fill="${colors.text}" font-weight="600">${policy}</text>`,
    `<path d="${step(curves.live.ready)}" fill="none" stroke="${colors.live}" stroke-width="2"/>`,
    `<path d="${step(curves.rehearsal.ready)}" fill="none" stroke="${colors.rehearsal}" stroke-width="2" stroke-dasharray="5 3"/>`,
  ];
}

function label(atX: number, atY: number, words: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${number(atX)}" y="${number(atY)}" fill="${colors.text}" text-anchor="${anchor}">${words}</text>`;
}

/** Tenths of a pixel. */
function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}
