import type { Comparison } from '../compare/comparison.ts';
import { html, join, type Markup } from './html.ts';
import { ratioText, shareText } from './text.ts';

const rowHeight = 24;
const left = 150;
const right = 84;
const width = 1100;
const marks = [1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000];

/** Each policy as a line of dots, one a trace, by cost over the optimum. */
export function overviewChart({ summaries, overall, traces }: Comparison): Markup {
  const ratios = summaries.flatMap(({ ratio }) => ratio ?? []);
  if (ratios.length === 0) return html``;
  const most = Math.max(1.5, ...ratios);
  const least = Math.min(1, ...ratios);
  const top = marks.find((mark) => mark >= most) ?? most;
  const x = (ratio: number) =>
    left + (Math.log(Math.max(ratio, least) / least) / Math.log(top / least)) * (width - left - right);
  const height = overall.length * rowHeight + 30;
  const far = height - 22;
  const shown = marks.filter((mark) => mark <= top);
  const rows = overall.map((one, index) => {
    const y = index * rowHeight + 16;
    const own = summaries.filter(({ policy }) => policy === one.policy);
    const dots = own.map(({ ratio, qualifies, trace, onTimeShare }) =>
      ratio === null
        ? html``
        : html`<circle class="dot${qualifies ? '' : ' lost'}" cx="${x(ratio).toFixed(1)}" cy="${y}" r="5.5"><title>${one.policy} on ${trace}: ${ratioText(ratio)} × the optimum, ${shareText(onTimeShare)} % on time${qualifies ? '' : ', promise missed'}</title></circle>`,
    );
    const mean =
      one.ratio === null || traces.length < 2
        ? html``
        : html`<path class="mean" d="M${x(one.ratio).toFixed(1)} ${y - 9}v18"/>`;
    const missed = traces.length === 1 ? 'missed' : `kept ${one.qualified} of ${one.traces}`;
    const label = one.ratio === null ? missed : `${ratioText(one.ratio)} ×`;
    return html`<path class="grid" d="M${left} ${y}H${width - right}"/><text class="label ${one.isBest ? 'name ' : ''}end" x="${left - 14}" y="${y}" dy="4">${shortened(one.policy)}</text>${mean}${dots}<text class="label${one.isBest ? ' name' : ''}" x="${width - right + 10}" y="${y}" dy="4">${label}</text>`;
  });
  return html`<figure><svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="overview-title overview-desc"><title id="overview-title">Cost over the optimum, by policy</title><desc id="overview-desc">A dot for each trace, filled where the promise is kept; the table above has the numbers.</desc>${shown.map(
    (mark) =>
      html`<path class="grid" d="M${x(mark).toFixed(1)} 4V${far}"/><text class="tick middle" x="${x(mark).toFixed(1)}" y="${height - 6}">${mark} ×</text>`,
  )}${join(rows)}</svg></figure>`;
}

function shortened(name: string): string {
  return name.length > 20 ? `${name.slice(0, 19)}…` : name;
}
