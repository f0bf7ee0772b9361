import { Failure } from '../failure.ts';
import type { View } from '../live/view.ts';
import { countText, durationText } from '../text/format.ts';
import type { Run } from '../up/run.ts';
import { isAtZero, type Observer } from './observer.ts';
import type { Picture } from './pictures.ts';
import type { DemoPlan } from './prepare.ts';
import { type Answer, upscale } from './traffic.ts';

const burstRequests = 12;
const burstConcurrency = 8;
/** The burst goes on until a second replica has come, but not for longer than this. */
const mostBurstRequests = 60;
const longestBurstMs = 30_000;
/** Stable window, keep-alive and grace of the example add up to about 20 s. */
const longestWayToZeroMs = 120_000;

/** The three acts, and what they left to be summed up. */
export class Scene {
  readonly answers: Answer[] = [];
  firstAnswerAtMs: number | null = null;
  readonly #run: Run;
  readonly #demo: DemoPlan;
  readonly #view: View;
  readonly #observer: Observer;

  constructor(run: Run, demo: DemoPlan, view: View, observer: Observer) {
    this.#run = run;
    this.#demo = demo;
    this.#view = view;
    this.#observer = observer;
  }

  async firstPicture(): Promise<void> {
    const picture = this.#picture(0);
    await this.#observer.until(() => true, 10_000, this.#signal);
    this.#say(`one picture (${picture.name}) while nothing runs: held until a replica is up`);
    const answer = await this.#send(picture);
    this.#tell(answer);
  }

  async burst(): Promise<void> {
    if (this.#signal.aborted) return;
    this.#say(`a burst: ${burstConcurrency} callers at once, until it has scaled out`);
    const most = this.#observer.latest?.maxReplicas ?? 1;
    const endAt = performance.now() + longestBurstMs;
    let sent = 0;
    const goesOn = () =>
      !this.#signal.aborted &&
      (sent < burstRequests ||
        (this.#observer.replicaPeak < Math.min(2, most) && sent < mostBurstRequests && performance.now() < endAt));
    const caller = async () => {
      while (goesOn()) {
        sent += 1;
        await this.#send(this.#picture(sent));
      }
    };
    const before = this.answers.length;
    await Promise.all(Array.from({ length: burstConcurrency }, caller));
    const answers = this.answers.slice(before);
    const failed = answers.filter(({ problem }) => problem !== null);
    this.#done(
      `${countText(answers.length, 'answer')}, failed ${failed.length}, ${countText(this.#observer.replicaPeak, 'replica')} at most`,
      failed.length === 0,
    );
  }

  /** Milliseconds from the last answer until nothing ran any more; null when it did not come to that in time. */
  async backToZero(): Promise<number | null> {
    if (this.#signal.aborted) return null;
    const startedAt = performance.now();
    this.#say('quiet: the keep-alive runs out, then everything goes');
    const zero = await this.#observer.until(isAtZero, longestWayToZeroMs, this.#signal);
    const tookMs = performance.now() - startedAt;
    if (zero) this.#done(`at zero after ${durationText(tookMs)}`, true);
    else if (!this.#signal.aborted) this.#done(`still not at zero after ${durationText(tookMs)}`, false);
    return zero ? tookMs : null;
  }

  get #signal(): AbortSignal {
    return this.#run.interrupts.stop;
  }

  #picture(index: number): Picture {
    const { pictures } = this.#demo;
    const picture = pictures[index % pictures.length];
    if (!picture) throw new Failure('usage', 'there is no picture to send');
    return picture;
  }

  async #send(picture: Picture): Promise<Answer> {
    const url = this.#observer.latest?.url;
    if (!url) throw new Failure('failed', `the workload ${this.#demo.workload} has no address to send pictures to`);
    const answer = await upscale(url, picture);
    // What Ctrl-C broke off is no failure of the workload.
    if (this.#signal.aborted) return answer;
    this.answers.push(answer);
    if (answer.problem === null) this.firstAnswerAtMs ??= Date.now();
    return answer;
  }

  #tell({ picture, problem, width, height, latencyMs }: Answer): void {
    if (this.#signal.aborted) return;
    if (problem !== null) {
      this.#done(`${picture.name}: ${problem}`, false);
      return;
    }
    const { beganAtMs } = this.#run;
    const since =
      this.firstAnswerAtMs === null
        ? ''
        : `, ${durationText(this.firstAnswerAtMs - beganAtMs)} after the command began`;
    this.#done(
      `${picture.width}x${picture.height} came back as ${width}x${height} in ${durationText(latencyMs)}${since}`,
      true,
    );
  }

  #say(text: string): void {
    const { colors, glyphs } = this.#run.context;
    this.#view.print(`${colors.cyan(glyphs.arrow)} ${colors.bold(text)}`);
  }

  #done(text: string, good: boolean): void {
    const { colors, glyphs } = this.#run.context;
    this.#view.print(`  ${good ? colors.green(glyphs.check) : colors.red(glyphs.cross)} ${text}`);
  }
}
