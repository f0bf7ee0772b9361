import type { Comparison, PolicyOnTrace } from '../compare/comparison.ts';
import { promiseText } from './sentences.ts';
import { html, type Markup } from './html.ts';
import { costText, hoursText, lengthText, ratioText, shareText } from './text.ts';

function mark(qualifies: boolean): Markup {
  return qualifies ? html`<span class="badge kept">kept</span>` : html`<span class="badge lost">missed</span>`;
}

function nameOf({ policy, usesHindsight }: { policy: string; usesHindsight: boolean }): Markup {
  return usesHindsight ? html`${policy} <span class="quiet">hindsight</span>` : html`${policy}`;
}

/** All policies on one trace. */
export function traceTable({ model }: Comparison, summaries: readonly PolicyOnTrace[]): Markup {
  const hasMoney = summaries.some(({ costMicro }) => costMicro !== null);
  const seeds = summaries[0]?.seeds ?? 1;
  const rows = summaries.map(
    (
      one,
    ) => html`<tr class="${one.isBest ? 'best' : one.qualifies ? 'kept' : 'missed'}"><th scope="row">${nameOf(one)}</th>
<td>${mark(one.qualifies)}</td><td class="share">${shareText(one.onTimeShare)} %</td><td>${ratioText(one.ratio)}</td>
<td>${hoursText(one.replicaSeconds)}</td>${hasMoney ? html`<td>${costText(one.costMicro, one.currency)}</td>` : html``}
<td>${lengthText(one.waitMs.p50)}</td><td>${lengthText(one.waitMs.p95)}</td><td>${lengthText(one.waitMs.p99)}</td><td>${lengthText(one.waitMs.max)}</td>
<td>${Math.round(one.coldStarts).toLocaleString('en')}</td><td>${one.mostReplicas}</td><td>${ratioText(one.pricedScore)}</td></tr>`,
  );
  return html`<div class="scroll"><table><caption>Promise: ${promiseText({ model })}.${seeds > 1 ? ` Means of ${seeds} seeds.` : ''} A ratio without the promise buys less and is not comparable.</caption>
<thead><tr><th scope="col">Policy</th><th scope="col">Promise</th><th scope="col">On&nbsp;time</th><th scope="col">×&nbsp;optimum</th><th scope="col">Replicas</th>${hasMoney ? html`<th scope="col">Money</th>` : html``}<th scope="col">Wait p50</th><th scope="col">p95</th><th scope="col">p99</th><th scope="col">Most</th><th scope="col">Cold starts</th><th scope="col">Most replicas</th><th scope="col">Priced score</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** All policies over all traces. */
export function overallTable({ overall, traces }: Comparison): Markup {
  const hasMoney = overall.some(({ costMicro }) => costMicro !== null);
  const rows = overall.map(
    (
      one,
    ) => html`<tr class="${one.isBest ? 'best' : one.ratio === null ? 'missed' : 'kept'}"><th scope="row">${nameOf(one)}</th>
<td>${one.qualified} of ${traces.length}</td><td>${ratioText(one.ratio)}</td><td>${ratioText(one.pricedScore)}</td><td>${hoursText(one.replicaSeconds)}</td>${hasMoney ? html`<td>${costText(one.costMicro, one.currency)}</td>` : html``}</tr>`,
  );
  return html`<div class="scroll"><table><caption>Geometric means over ${traces.length} traces; a ratio only where the promise is kept on all of them. Replicas and money are sums.</caption>
<thead><tr><th scope="col">Policy</th><th scope="col">Promise kept</th><th scope="col">×&nbsp;optimum</th><th scope="col">Priced score</th><th scope="col">Replicas</th>${hasMoney ? html`<th scope="col">Money</th>` : html``}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
