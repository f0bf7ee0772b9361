import { haltonPoint } from './halton.ts';
import type { Objective } from './objective.ts';
import { discounted, isBetter } from './objective.ts';
import { type Point, presentPoint, type TuningSpace } from './space.ts';
import type { StoppedSetting, TuningRun } from './tuning.ts';

export interface SearchOptions {
  space: TuningSpace;
  objective: Objective;
  seed: number;
  runs: number;
  /**
   * Rehearses a point on the training part. It may be ended on the way where it cannot come close to the best so far
   * (`isBeaten`); null: there is none yet.
   */
  evaluate: (point: Point, number: number, best: TuningRun | null) => Promise<TuningRun | StoppedSetting>;
  isOver: () => boolean;
}

export interface SearchResult {
  best: { point: Point; run: TuningRun };
  /** In the order they were asked for; the first is the present one. */
  tried: TuningRun[];
  stopped: StoppedSetting[];
}

/** Of the runs, for points that fill the space; the rest goes along the coordinates. */
const fillShare = 0.4;
/** Points that fill are asked for so many at once: the next ones are then measured by the best of these. */
const fillAtOnce = 4;

/**
 * Searches a space of discrete sizes: the present point, points that fill the space, then one coordinate after the other from
 * the best, with steps that halve; where that ends before the runs do, more points that fill. Last, changes that gain next to
 * nothing are taken back. A run that was ended on the way is one that would have lost against every later best as well, so
 * the same point is found as without. What is rehearsed next depends on results only, never on how fast they came, so the same options
 * give the same answer.
 */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const walk = new Walk(options);
  const { space, runs } = options;
  const present = presentPoint(space);
  await walk.at([present]);
  const count = space.parameters.length;
  const fill = Math.max(2, Math.round((runs - 1) * fillShare));
  const kept = Math.min(count, Math.floor(runs / 5));
  for (let open = fill; open > 0; open -= fillAtOnce) await walk.at(walk.filling(Math.min(open, fillAtOnce)));
  while (walk.left > kept && !options.isOver()) {
    const before = walk.used;
    await descend(walk, space, kept);
    if (walk.left <= kept || options.isOver()) break;
    await walk.at(walk.filling(Math.min(fillAtOnce, walk.left - kept)));
    // The space is smaller than the runs: there is nothing new.
    if (walk.used === before) break;
  }
  await simplify(walk, space, present);
  return walk.result();
}

/** Points that are known already cost nothing and are not asked for again. */
class Walk {
  readonly #options: SearchOptions;
  readonly #known = new Map<string, Promise<TuningRun | StoppedSetting>>();
  readonly #tried: TuningRun[] = [];
  readonly #stopped: StoppedSetting[] = [];
  #best: { point: Point; run: TuningRun } | null = null;
  #filled = 0;

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  get used(): number {
    return this.#known.size;
  }

  get left(): number {
    return this.#options.runs - this.#known.size;
  }

  get best(): { point: Point; run: TuningRun } {
    if (!this.#best) throw new RangeError('nothing has been tried yet');
    return this.#best;
  }

  /** Rehearses the points that are new, at once, as far as runs and time are left. Says whether the best has changed. */
  async at(points: readonly Point[]): Promise<boolean> {
    const { space, evaluate, isOver, objective } = this.#options;
    const fresh: { point: Point; run: Promise<TuningRun | StoppedSetting> }[] = [];
    // Not what a run beside it comes to in the meantime: that would be the machine's affair.
    const rival = this.#best?.run ?? null;
    for (const wanted of points) {
      const point = space.repair(wanted);
      const key = point.join();
      if (this.#known.has(key) || this.left <= 0 || (this.#known.size > 0 && isOver())) continue;
      const run = evaluate(point, this.#known.size, rival);
      this.#known.set(key, run);
      fresh.push({ point, run });
    }
    const runs = await Promise.all(fresh.map(({ run }) => run));
    let improved = false;
    for (const [index, { point }] of fresh.entries()) {
      const run = runs[index];
      if (!run) continue;
      if (isStopped(run)) {
        this.#stopped.push(run);
        continue;
      }
      this.#tried.push(run);
      if (this.#best && !isBetter(run, this.#best.run, objective)) continue;
      improved = this.#best !== null;
      this.#best = { point, run };
    }
    return improved;
  }

  filling(count: number): Point[] {
    const { space, seed } = this.#options;
    return Array.from({ length: count }, () => {
      const shares = haltonPoint(this.#filled++, space.parameters.length, seed);
      return space.parameters.map(({ sizes }, index) => Math.floor((shares[index] ?? 0) * sizes.length));
    });
  }

  /** Takes a point that is as good, because it changes less. */
  async prefer(point: Point): Promise<boolean> {
    const { space, objective } = this.#options;
    await this.at([point]);
    const repaired = space.repair(point);
    const run = await this.#known.get(repaired.join());
    if (!run || isStopped(run)) return false;
    const { run: best } = this.best;
    if (run === best || isBetter(discounted(best), run, objective)) return false;
    this.#best = { point: repaired, run };
    return true;
  }

  result(): SearchResult {
    return { best: this.best, tried: [...this.#tried], stopped: [...this.#stopped] };
  }
}

async function descend(walk: Walk, { parameters }: TuningSpace, kept: number): Promise<void> {
  const longest = Math.max(...parameters.map(({ sizes }) => sizes.length));
  for (let step = Math.max(1, Math.floor(longest / 4)); step >= 1; step = Math.floor(step / 2)) {
    let improved = true;
    while (improved && walk.left > kept) {
      improved = false;
      for (const [index, { sizes }] of parameters.entries()) {
        if (walk.left <= kept) return;
        const { point } = walk.best;
        const at = point[index] ?? 0;
        const near = [Math.max(0, at - step), Math.min(sizes.length - 1, at + step)].filter((number) => number !== at);
        const moved = near.map((number) => point.map((each, other) => (other === index ? number : each)));
        if (await walk.at(moved.slice(0, Math.max(0, walk.left - kept)))) improved = true;
      }
    }
  }
}

async function simplify(walk: Walk, { parameters }: TuningSpace, present: Point): Promise<void> {
  for (const index of parameters.keys()) {
    const { point } = walk.best;
    if (point[index] === present[index]) continue;
    await walk.prefer(point.map((each, other) => (other === index ? (present[index] ?? each) : each)));
  }
}

function isStopped(run: TuningRun | StoppedSetting): run is StoppedSetting {
  return !('amount' in run);
}
