import type { ColdStart } from '@ebb/documents';
import { h, setText } from './dom.ts';
import { formatMicros } from './format.ts';

/** The stages of a 0 → 1 in the order in which they pass, with what each is made of. */
const stages = [
  {
    name: 'spawn',
    title: 'asked for → the process exists',
    us: (start: ColdStart) => sum(start.arrivalToAskUs, start.askToSpawnUs),
  },
  {
    name: 'load',
    title: 'process exists → the model answers its readiness probe',
    us: (start: ColdStart) => sum(start.spawnToListenUs, start.listenToReadyUs),
  },
  {
    name: 'ready',
    title: 'seen ready → the gateway sends it the first request',
    us: (start: ColdStart) => start.readyToRouteUs,
  },
] as const;

function sum(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}

/** Ebb's own share of a start: everything that is not the worker's loading. */
export function ownShareUs(start: ColdStart): number {
  return (start.arrivalToAskUs ?? 0) + (start.askToSpawnUs ?? 0) + (start.readyToRouteUs ?? 0);
}

/** The last cold start as one bar, a stage a segment, and the sentence under it. */
export class ColdStartBar {
  readonly element: HTMLElement;
  readonly #segments = stages.map((stage) =>
    h('span', { class: `segment ${stage.name}`, title: `${stage.name}: ${stage.title}` }),
  );
  readonly #legend = stages.map((stage) => h('span', { class: `stage ${stage.name}`, title: stage.title }));
  readonly #bar = h('div', { class: 'bar', hidden: true }, ...this.#segments);
  readonly #note = h('p', { class: 'note' });

  constructor() {
    this.element = h(
      'section',
      { class: 'cold-start', 'aria-label': 'last cold start' },
      h('h3', {}, 'Last cold start'),
      this.#bar,
      h('div', { class: 'legend' }, ...this.#legend),
      this.#note,
    );
  }

  show(start: ColdStart | null, count: number): void {
    this.#bar.hidden = !start;
    if (!start) {
      setText(this.#note, 'None yet: send the first request and watch it wake.');
      return;
    }
    const lengths = stages.map((stage) => stage.us(start));
    stages.forEach((stage, index) => {
      const us = lengths[index] ?? null;
      // A stage of a tenth of a millisecond is still shown, as a hair.
      this.#segments[index]?.style.setProperty('flex-grow', String(us === null ? 0 : Math.max(us, 1)));
      const legend = this.#legend[index];
      if (legend) setText(legend, `${stage.name} ${formatMicros(us)}`);
    });
    const total = lengths.reduce<number>((all, us) => all + (us ?? 0), 0);
    setText(
      this.#note,
      `${formatMicros(total)} in all; ${formatMicros(ownShareUs(start))} of it is Ebb's own share. ${count} cold start${count === 1 ? '' : 's'} so far.`,
    );
  }
}
