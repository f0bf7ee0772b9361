import { html, type Markup } from '../report/html.ts';
import type { ReportOptions } from '../report/report.ts';
import { styles } from '../report/styles.ts';
import { lengthText, shareText } from '../report/text.ts';
import { paretoChart } from './paretoChart.ts';
import { moneyText, tuningSentences } from './sentences.ts';
import type { Tuning, TuningRun } from './tuning.ts';

/** A search as one HTML page that needs nothing else: words, both parts, the front and every change. The same search gives the same page. */
export function renderTuning(tuning: Tuning, options: ReportOptions = {}): string {
  const { title = 'Tuning', command, version } = options;
  const { trace, description, policy, runs, seed, present, tuned, changes, verdict, front } = tuning;
  const isProposal = verdict === 'better';
  const { markup } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${title}</title><style>${styles}</style></head>
<body><header><h1><svg class="logo" viewBox="0 0 34 34" aria-hidden="true"><rect width="34" height="34" rx="9"/><path d="M7 21c4-9 6-9 10 0s6 5 10-4"/></svg>${title}</h1>
<p class="quiet">${policy} on ${trace}: ${runs} settings, ${tuning.stopped.length} of them ended as soon as they could not be the best, seed ${seed}. ${description}</p></header>
<main><section><h2>In words</h2><ul class="words">${tuningSentences(tuning).map((text) => html`<li>${text}</li>`)}</ul>
<h3>Both parts</h3><div class="scroll"><table><thead><tr><th scope="col">Setting</th><th scope="col">Part</th>${head}</tr></thead><tbody>
${row('now', 'training', present.training)}${row('now', 'validation', present.validation)}${row('found', 'training', tuned.training)}${row('found', 'validation', tuned.validation)}</tbody></table></div>
<h3>${isProposal ? 'What to change' : 'What the search would have changed'}</h3>${
    changes.length === 0
      ? html`<p>Nothing.</p>`
      : html`<div class="scroll"><table><thead><tr><th scope="col">Field</th><th scope="col">Now</th><th scope="col">${isProposal ? 'Then' : 'Tried'}</th></tr></thead><tbody>${changes.map(({ kind, path, from, to }) => html`<tr><th scope="row">${kind} ${path}</th><td>${String(from)}</td><td>${String(to)}</td></tr>`)}</tbody></table></div>`
  }</section>
<section><h2>Cost against late share</h2><p class="legend"><span>filled: keeps the promise</span><span><i class="line" style="color:var(--ready)"></i>no other is at once cheaper and less late</span><span><i class="line" style="color:var(--bad);border-top-style:dashed"></i>the promise</span><span>dotted: the same setting on the validation part</span></p>${paretoChart(tuning)}
<h3>The front, on the training part, of the settings that were rehearsed to the end</h3><div class="scroll"><table><thead><tr><th scope="col">Setting</th><th scope="col"></th>${head}</tr></thead><tbody>${front.map((run) => row(valuesText(run), '', run))}</tbody></table></div></section></main>
<footer class="quiet">${command === undefined ? html`` : html`<p>Made by <code>${command}</code></p>`}${version === undefined ? html`` : html`<p>Ebb ${version}</p>`}</footer></body></html>
`;
  return markup;
}

const head = html`<th scope="col">Promise</th><th scope="col">On time</th><th scope="col">Cost</th><th scope="col">Wait p50</th><th scope="col">p99</th><th scope="col">Cold starts</th>`;

function row(name: string, part: string, run: TuningRun): Markup {
  const { qualifies, onTimeShare, waitMs, coldStarts } = run;
  const badge = qualifies ? html`<span class="badge kept">kept</span>` : html`<span class="badge lost">missed</span>`;
  return html`<tr class="${qualifies ? 'kept' : 'missed'}"><th scope="row">${name}</th><td>${part}</td><td>${badge}</td><td class="share">${shareText(onTimeShare)} %</td><td>${moneyText(run)}</td><td>${lengthText(waitMs.p50)}</td><td>${lengthText(waitMs.p99)}</td><td>${coldStarts.toLocaleString('en')}</td></tr>`;
}

function valuesText({ values }: TuningRun): string {
  return Object.entries(values)
    .map(([name, value]) => `${name.split('.').at(-1)} ${value}`)
    .join(', ');
}
