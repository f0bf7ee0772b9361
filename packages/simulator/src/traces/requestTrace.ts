import type { Trace, TraceBlock } from '../contract/trace.ts';
import { BlockBuilder } from './blockBuilder.ts';
import { type RequestLayout, type RequestSink, RowError } from './layout.ts';
import { type TraceOptions, type Window, windowOf } from './options.ts';
import { feedRows } from './rows.ts';
import { lineBatches, type TraceSource } from './source.ts';
import { type ChosenWorkloads, chooseWorkloads, WorkloadNames } from './workloadNames.ts';

/** Up to so many requests are kept (20 bytes each); of a longer file the rows are read again each time. */
const mostKept = 2_000_000;

/** Reads it once to the end, so that a bad row is told now and not in the middle of a run. */
export async function requestTrace(
  layout: RequestLayout,
  source: TraceSource,
  base: Pick<Trace, 'name' | 'description'>,
  options: TraceOptions,
  most = mostKept,
): Promise<Trace> {
  const first = new RequestRows(options, source.name, layout.hasTokens);
  let kept: TraceBlock[] | null = [];
  for await (const blocks of first.blocks(layout, source)) {
    if (first.total > most) kept = null;
    kept?.push(...blocks);
  }
  if (first.rows === 0) throw new RowError('has no requests', true);
  const chosen = chooseWorkloads(first.names.names, first.counts, options.workloads ?? {});
  const { every = 1 } = options;
  const held = kept ? [...select(kept, chosen, every, layout.hasTokens)] : null;
  const window = windowOf(options);
  return {
    ...base,
    workloads: chosen.names,
    spanUs: Math.max(0, Math.min(first.lastUs, window.toUs) - window.fromUs),
    arrivals: 'recorded',
    hasTokens: layout.hasTokens,
    blocks: () => held ?? readAgain(layout, source, options, chosen),
  };
}

async function* readAgain(layout: RequestLayout, source: TraceSource, options: TraceOptions, chosen: ChosenWorkloads) {
  const rows = new RequestRows(options, source.name, layout.hasTokens);
  const selection = new Selection(chosen, options.every ?? 1, layout.hasTokens);
  for await (const blocks of rows.blocks(layout, source)) for (const block of blocks) yield* selection.take(block);
  yield* selection.rest();
}

function* select(blocks: readonly TraceBlock[], chosen: ChosenWorkloads, every: number, hasTokens: boolean) {
  const selection = new Selection(chosen, every, hasTokens);
  for (const block of blocks) yield* selection.take(block);
  yield* selection.rest();
}

/** Requests within the window, with the workloads' numbers as they came. */
class RequestRows implements RequestSink {
  readonly names: WorkloadNames;
  readonly counts: number[] = [];
  /** Within the window. */
  total = 0;
  rows = 0;
  lastUs = 0;
  readonly #window: Window;
  readonly #builder: BlockBuilder;
  readonly #options: TraceOptions;

  constructor(options: TraceOptions, onlyName: string, hasTokens: boolean) {
    this.names = new WorkloadNames(options.rename, onlyName);
    this.#window = windowOf(options);
    this.#builder = new BlockBuilder(true, hasTokens);
    this.#options = options;
  }

  workload(name: string): number {
    return this.names.indexOf(name);
  }

  add(atUs: number, workload: number, inputTokens: number, outputTokens: number): void {
    if (atUs < this.lastUs) {
      throw new RowError(
        `arrives at ${atUs / 1e6} s, before the row above (${this.lastUs / 1e6} s): rows must be in order of arrival`,
      );
    }
    this.lastUs = atUs;
    this.rows++;
    const { fromUs, toUs } = this.#window;
    if (atUs < fromUs || atUs >= toUs) return;
    this.total++;
    this.counts[workload] = (this.counts[workload] ?? 0) + 1;
    this.#builder.add(atUs - fromUs, workload, inputTokens, outputTokens);
  }

  async *blocks(layout: RequestLayout, source: TraceSource): AsyncGenerator<TraceBlock[]> {
    const rows = feedRows(source.file, (firstLine) => layout.read(firstLine, this, this.#options));
    for await (const lines of lineBatches(source)) {
      rows.take(lines);
      const full = this.#builder.takeFull();
      if (full.length > 0) yield full;
    }
    rows.end();
    yield this.#builder.takeRest();
  }
}

class Selection {
  readonly #chosen: ChosenWorkloads;
  readonly #every: number;
  readonly #builder: BlockBuilder;
  #left = 0;

  constructor(chosen: ChosenWorkloads, every: number, hasTokens: boolean) {
    this.#chosen = chosen;
    this.#every = every;
    this.#builder = new BlockBuilder(chosen.names.length > 1, hasTokens);
  }

  take({ count, atUs, workload, inputTokens, outputTokens }: TraceBlock): TraceBlock[] {
    for (let index = 0; index < count; index++) {
      const number = this.#chosen.numbers[workload?.[index] ?? 0] ?? -1;
      if (number < 0 || this.#left++ % this.#every !== 0) continue;
      this.#builder.add(atUs[index] ?? 0, number, inputTokens?.[index] ?? 0, outputTokens?.[index] ?? 0);
    }
    return this.#builder.takeFull();
  }

  rest(): TraceBlock[] {
    return this.#builder.takeRest();
  }
}
