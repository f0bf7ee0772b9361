import type { ComparedTrace, Comparison } from '../compare/comparison.ts';
import { html, type Markup } from './html.ts';
import { overviewChart } from './overview.ts';
import { demandPlot, moneyPlot, type PlotScale, policyPanel } from './plots.ts';
import { modelSentences, promiseText, summarySentences, traceSentence } from './sentences.ts';
import { styles } from './styles.ts';
import { overallTable, traceTable } from './tables.ts';
import { costText, hoursText, lengthText, ratioText, quotient } from './text.ts';

export interface ReportOptions {
  /** As it stands above everything. */
  title?: string;
  /** The command line that makes the report again. */
  command?: string;
  /** Ebb's version. */
  version?: string;
}

/** What the curves of a report may take, characters: it stays a file to mail. */
const curveBudget = 290_000;
const stripeCharacters = 190;
const pointCharacters = 40;

/**
 * A comparison as one HTML page that needs nothing else: words, tables and plots, in light, dark and on paper. Has neither
 * scripts nor addresses. The same comparison gives the same page.
 */
export function renderReport(comparison: Comparison, options: ReportOptions = {}): string {
  const { title = 'Rehearsal', command, version } = options;
  const { traces, failures } = comparison;
  const { markup } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${title}</title><style>${styles}</style></head>
<body><header><h1><svg class="logo" viewBox="0 0 34 34" aria-hidden="true"><rect width="34" height="34" rx="9"/><path d="M7 21c4-9 6-9 10 0s6 5 10-4"/></svg>${title}</h1>
<p class="quiet">${comparison.policies.length} policies on ${traces.length === 1 ? 'one trace' : `${traces.length} traces`}; the promise: ${promiseText(comparison)}.</p></header>
<main><section><h2>In words</h2><ul class="words">${summarySentences(comparison).map((text) => html`<li>${unbroken(text)}</li>`)}</ul>
${failures.length > 0 ? html`<h3>Runs that failed</h3><ul class="words">${failures.map(({ trace, policy, seed, message }) => html`<li>${policy} on ${trace}, seed ${seed}: ${message}</li>`)}</ul>` : html``}
${traces.length > 1 ? html`<h3>All traces</h3>${overallTable(comparison)}` : html``}
<h3>Cost over the optimum</h3><p class="legend"><span><svg width="14" height="14" viewBox="0 0 14 14" style="display:inline;width:14px;vertical-align:-2px" aria-hidden="true"><circle class="dot" cx="7" cy="7" r="5.5"/></svg> promise kept</span><span><svg viewBox="0 0 14 14" style="display:inline;width:14px;vertical-align:-2px" aria-hidden="true"><circle class="dot lost" cx="7" cy="7" r="5.5"/></svg> promise missed: buys less</span>${traces.length > 1 ? html`<span><i class="line" style="border-color:var(--ink);width:2px;height:12px;border-top:12px solid;vertical-align:-2px"></i>geometric mean</span>` : html``}</p>${overviewChart(comparison)}</section>
${traces.map((trace, index) => traceSection(comparison, trace, index))}
<section><h2>What the numbers mean</h2><ul class="words">${modelSentences(comparison).map((text) => html`<li>${text}</li>`)}
<li>× optimum is the cost in replica-seconds over that bound. It compares only policies that keep the promise. The priced score compares all: each late request costs as much as two cold starts of a replica.</li>
<li>A replica is paid for from the moment it is asked for. Late requests are still served, and their service is paid for.</li>
<li>This is a simulation of the recorded arrivals: the engine that decides is the real one, the machines, models and clients are not.</li></ul></section></main>
<footer class="quiet">${command === undefined ? html`` : html`<p>Made by <code>${command}</code></p>`}${version === undefined ? html`` : html`<p>Ebb ${version}</p>`}</footer></body></html>
`;
  return markup;
}

/** No line ends between a number and its sign. */
function unbroken(text: string): string {
  return text.replace(/(\d) (?=[×%])/g, '$1\u00a0').replace(/^no /, 'No ');
}

/** Rare peaks are cut off and said in words: all panels have one scale, and what lasts must be seen. */
const highShare = 1.15;
const lastingShare = 0.97;

function quantile(curve: Float64Array): number {
  return curve.toSorted()[Math.floor(lastingShare * (curve.length - 1))] ?? 0;
}

function traceSection(comparison: Comparison, about: ComparedTrace, number: number): Markup {
  const { model, rows, runs, summaries } = comparison;
  const own = summaries.filter(({ trace }) => trace === about.trace);
  const shown = own.flatMap((summary) => {
    const index = rows.findIndex(({ trace, policy }) => trace === about.trace && policy === summary.policy);
    const run = runs[index];
    return run ? [{ run, summary }] : [];
  });
  const each = curveBudget / Math.max(1, runs.length / Math.max(1, own[0]?.seeds ?? 1));
  const stripes = Math.round(Math.min(48, Math.max(8, each / 2 / stripeCharacters)));
  const points = Math.round(Math.min(240, Math.max(40, (each - stripes * stripeCharacters) / pointCharacters)));
  const scale: PlotScale = {
    id: `t${number}`,
    spanMs: shown.reduce((most, { run }) => Math.max(most, run.curves.bucketMs * run.curves.ready.length), 1),
    points,
    stripes,
    concurrency: model.concurrency,
    onTimeMs: model.onTimeMs,
    mostReplicas: shown.reduce((most, { run }) => Math.max(most, highShare * quantile(run.curves.billed)), 1),
    mostWaitMs: shown.reduce(
      (most, { run }) => run.curves.waitP99Ms.reduce((a, b) => Math.max(a, b), most),
      model.onTimeMs,
    ),
  };
  const bound = about.bounds[0];
  const first = shown[0];
  const best = own.find(({ isBest }) => isBest);
  const facts = [
    `${about.requests.toLocaleString('en')} requests in ${lengthText(about.spanMs)}`,
    ...(about.workloads > 1 ? [`${about.workloads} workloads with replicas of their own`] : []),
    ...(bound ? [`optimum at least ${hoursText(bound.lowerBoundSeconds)}`] : []),
    ...(bound && bound.planSeconds !== null
      ? [`best plan with hindsight ${ratioText(quotient(bound.planSeconds, bound.lowerBoundSeconds))} ×`]
      : []),
    ...(bound && bound.staticPeak !== null
      ? [`fewest constant replicas that keep the promise: ${bound.staticPeak}`]
      : []),
    ...(best && best.costMicro !== null ? [`cheapest that keeps it ${costText(best.costMicro, best.currency)}`] : []),
  ];
  return html`<section class="trace" id="trace-${number}"><h2>${about.trace}</h2>${comparison.traces.length > 1 ? html`<p>${unbroken(traceSentence({ ...comparison, overall: [] }, about.trace))}</p>` : html``}<p class="quiet">${facts.join(' · ')}</p><p class="quiet">${about.description}</p>
<h3>Policies</h3>${traceTable(comparison, own)}
${
  first === undefined
    ? html``
    : html`<h3>Arrivals a second</h3>${demandPlot(first.run, { ...scale, id: `t${number}-demand` })}
<h3>Replicas over demand, and waits</h3><p class="legend"><span><i style="background:var(--ready-tint);border-top:2px solid var(--ready)"></i>ready</span><span><i style="background:var(--starting-tint)"></i>paid for, not yet ready</span><span><i class="line" style="color:var(--demand)"></i>demand, in replicas (requests held or in service)</span><span><i style="background:color-mix(in srgb,var(--quiet) 55%,var(--card))"></i>below: wait p99, logarithmic, <span style="color:var(--bad)">late</span></span><span><i class="line" style="color:var(--bad);border-top-style:dashed"></i>on time</span></p>
<div class="panels">${shown.map(({ run, summary }, index) => policyPanel(run, summary, { ...scale, id: `t${number}-p${index}` }))}</div>
<h3>${shown.every(({ run }) => run.costMicro !== null) ? `Money over time, ${first.run.currency ?? 'USD'}` : 'Replica-hours over time'}</h3><p class="legend"><span><i class="line" style="color:var(--ready)"></i>cheapest that keeps the promise</span><span><i class="line" style="color:var(--quiet);border-top-style:dashed"></i>misses it</span><span><i class="line" style="color:var(--demand);border-top-style:dotted"></i>the optimum costs at least this</span></p>${moneyPlot(shown, bound?.lowerBoundSeconds ?? 0, { ...scale, id: `t${number}-money` })}`
}</section>`;
}
