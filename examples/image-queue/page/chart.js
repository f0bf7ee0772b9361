// @ts-check

/** @typedef {{ atMs: number, jobs: number, messages: number }} Sample */

const spanMs = 60_000;
const [left, right, top, bottom] = [26, 8, 8, 20];

/**
 * The last minute: Jobs as an area, messages as a line, each value until the next sample. Drops samples that are older.
 * @param {HTMLElement} svg @param {Sample[]} samples @param {number} max
 */
export function drawChart(svg, samples, max) {
  const nowMs = Date.now();
  // The last of the older ones says how it was when the minute began.
  while ((samples[1]?.atMs ?? nowMs) < nowMs - spanMs) samples.shift();
  const [width, height] = [svg.clientWidth, svg.clientHeight];
  if (width === 0) return;
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  const highest = Math.max(max + 1, ...samples.map(({ jobs, messages }) => Math.max(jobs, messages)));
  /** @param {number} atMs */
  const x = (atMs) => left + Math.max(0, 1 - (nowMs - atMs) / spanMs) * (width - left - right);
  /** @param {number} value */
  const y = (value) => height - bottom - (value / highest) * (height - top - bottom);

  /** @param {'jobs' | 'messages'} name */
  const steps = (name) =>
    samples
      .map(
        (sample, index) =>
          `${index === 0 ? 'M' : 'V'}${index === 0 ? `${x(sample.atMs)},` : ''}${y(sample[name])}H${x(samples[index + 1]?.atMs ?? nowMs)}`,
      )
      .join('');
  const [first] = samples;
  const grid = [0, highest].map(
    (value) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}"/><text x="${left - 8}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const marks = [60, 40, 20].map(
    (ago) =>
      `<text x="${x(nowMs - ago * 1000)}" y="${height - 4}" text-anchor="${ago === 60 ? 'start' : 'middle'}">−${ago} s</text>`,
  );
  // Numbers only: nothing in here comes from outside.
  svg.innerHTML = [
    ...grid,
    ...marks,
    `<text x="${width - right}" y="${height - 4}" text-anchor="end">now</text>`,
    max > 0
      ? `<line class="max" x1="${left}" x2="${width - right}" y1="${y(max)}" y2="${y(max)}"/><text x="${left - 8}" y="${y(max) + 4}" text-anchor="end">${max}</text>`
      : '',
    first
      ? `<path class="area" d="${steps('jobs')}V${y(0)}H${x(first.atMs)}Z"/><path class="jobs" d="${steps('jobs')}"/><path class="messages" d="${steps('messages')}"/>`
      : '',
  ].join('');
}
