import type { Condition } from '@ebb/documents';
import { drawChart } from './chart.ts';
import { ColdStartBar } from './coldStart.ts';
import { h, setText } from './dom.ts';
import { formatClock, formatMoney, formatSeconds } from './format.ts';
import type { WorkloadView } from './model.ts';
import { ReplicaTiles } from './replicaTiles.ts';
import { TryBox } from './tryBox.ts';

const figures = ['wanted', 'ready', 'starting', 'draining', 'in flight', 'held'] as const;

/** Not available for a reason that does not pass by itself. */
function isTrouble({ type, status, reason }: Condition): boolean {
  return type === 'Available' && status === 'False' && reason !== 'Starting' && reason !== 'NotStarted';
}

/** Everything about one workload: figures, replicas, curves, last cold start, decisions, cost, and a box to try it. */
export class WorkloadCard {
  readonly element: HTMLElement;
  #view: WorkloadView;
  readonly #title = h('h2');
  readonly #address = h('code', { class: 'address' });
  readonly #figures = new Map(figures.map((name) => [name, h('b', {}, '0')]));
  readonly #tiles = new ReplicaTiles();
  readonly #chart = h('canvas', {
    class: 'chart',
    role: 'img',
    'aria-label': 'replicas and demand over the last three minutes',
  });
  readonly #coldStart = new ColdStartBar();
  readonly #why = h('p', { class: 'why' });
  readonly #decisions = h('ol', { class: 'decisions' });
  readonly #money = h('p', { class: 'money' });
  readonly #moneyNote = h('p', { class: 'note' });
  readonly #costFill = h('span', { class: 'fill' });
  readonly #problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  #decisionsShown = '';

  constructor(view: WorkloadView) {
    this.#view = view;
    const legend = [
      ['ready', 'ready'],
      ['starting', 'starting'],
      ['wanted', 'wanted'],
      ['demand', 'requests in flight + held'],
    ].map(([name, text]) => h('span', { class: `key ${name}` }, text));
    const cost = h(
      'section',
      { class: 'cost' },
      h('h3', {}, 'Cost so far'),
      this.#money,
      h('div', { class: 'bar', title: 'share of what always-on would have cost' }, this.#costFill),
      this.#moneyNote,
    );
    this.element = h(
      'article',
      { class: 'workload' },
      h('header', {}, this.#title, this.#address),
      this.#problem,
      h(
        'dl',
        { class: 'figures' },
        ...figures.map((name) =>
          h('div', { 'data-figure': name }, h('dt', {}, name), h('dd', {}, this.#figures.get(name))),
        ),
      ),
      this.#tiles.element,
      h('div', { class: 'chart-frame' }, this.#chart, h('div', { class: 'keys' }, ...legend)),
      h(
        'div',
        { class: 'columns' },
        h('div', {}, this.#coldStart.element, cost),
        h('section', { class: 'reasons' }, h('h3', {}, 'Why'), this.#why, this.#decisions),
      ),
      new TryBox(() => this.#view).element,
    );
  }

  show(view: WorkloadView, now: number): void {
    this.#view = view;
    const { status } = view;
    setText(this.#title, status.namespace === 'default' ? status.name : `${status.namespace}/${status.name}`);
    setText(this.#address, status.url ?? '');
    const values = { ...status.replicas, 'in flight': status.inFlight, held: status.held };
    for (const name of figures) {
      const figure = this.#figures.get(name);
      if (figure) setText(figure, String(values[name]));
    }
    this.#tiles.show(status, now);
    this.#coldStart.show(status.coldStarts.last, status.coldStarts.count);
    this.#showDecisions(now);
    this.#showCost();
    const trouble = status.conditions.find(isTrouble);
    this.#problem.hidden = !trouble;
    if (trouble) setText(this.#problem, trouble.message);
  }

  draw(now: number): void {
    drawChart(this.#chart, this.#view.samples, now);
  }

  #showDecisions(now: number): void {
    const { decisions, status } = this.#view;
    const due = status.revisitAt === null ? null : Math.max(0, Math.round((status.revisitAt - now) / 1000));
    const next =
      due === null
        ? 'It will be looked at again when something happens.'
        : `Looked at again in ${formatSeconds(due)}, or when something happens.`;
    setText(this.#why, status.decision ? `${status.decision.summary} ${next}` : 'Nothing has been decided yet.');
    const shown = decisions.map((decision) => decision.sequence).join();
    if (shown === this.#decisionsShown) return;
    this.#decisionsShown = shown;
    this.#decisions.replaceChildren(
      ...decisions.map((decision) =>
        h(
          'li',
          {},
          h('time', {}, formatClock(decision.at)),
          h('b', {}, String(decision.replicas)),
          h('span', {}, decision.summary),
        ),
      ),
    );
  }

  #showCost(): void {
    const { cost } = this.#view.status;
    const spent = BigInt(cost.soFarMicro);
    const alwaysOn = BigInt(cost.alwaysOnMicro);
    const share = alwaysOn > 0n ? Number((spent * 1000n) / alwaysOn) / 10 : 0;
    this.#costFill.style.setProperty('width', `${Math.min(100, share)}%`);
    setText(
      this.#money,
      alwaysOn > 0n
        ? `${formatMoney(spent, cost.currency)} instead of ${formatMoney(alwaysOn, cost.currency)} always on (${(100 - share).toFixed(0)} % less)`
        : `${formatMoney(spent, cost.currency)}: nothing has run yet`,
    );
    setText(
      this.#moneyNote,
      `${Math.round(cost.replicaSeconds)} replica-seconds instead of ${Math.round(cost.alwaysOnReplicaSeconds)}; now ${formatMoney(cost.ratePerHourMicro, cost.currency)} an hour. ${cost.assumption}`,
    );
  }
}
