import type { OutputStream } from '../context.ts';
import { textWidth, truncate } from '../text/width.ts';

/** At most eight frames a second: faster is only flicker and CPU. */
const shortestFrameMs = 125;
/** Ages and curves move on also while nothing happens. */
const slowestFrameMs = 1000;

const mostKeptLines = 50;
/** Below this the block takes the room of what was printed first. */
const fewestBlockLines = 12;

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
/** Terminals that know it draw the frame at once; the others ignore it. */
const beginFrame = '\u001b[?2026h';
const endFrame = '\u001b[?2026l';
const clearToEndOfLine = '\u001b[K';
const clearBelow = '\u001b[J';
const clearScreen = '\u001b[2J\u001b[H';

/**
 * Redraws a block of lines in place at the bottom of what was written so far. Lines that are to stay are written above it
 * with `print`. After a resize the screen is cleared, because nobody knows how the terminal broke the old lines.
 */
export class TerminalView {
  readonly #stream: OutputStream;
  readonly #draw: (width: number, height: number) => string[];
  readonly #onResize = () => this.#resized();
  #kept: string[] = [];
  /** What was printed first (addresses) stays in sight: the block leaves that much room. */
  #head: string[] | null = null;
  #drawnLines = 0;
  #lastFrameAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #ended = false;

  /** `draw` gives the lines of a frame for the room there is. */
  constructor(stream: OutputStream, draw: (width: number, height: number) => string[]) {
    this.#stream = stream;
    this.#draw = draw;
    stream.on?.('resize', this.#onResize);
    stream.write(hideCursor);
  }

  /** Something changed: draws soon. */
  refresh(): void {
    if (this.#ended) return;
    const dueIn = Math.max(0, this.#lastFrameAt + shortestFrameMs - performance.now());
    this.#schedule(dueIn);
  }

  /** Writes lines that stay, above the block. */
  print(...lines: string[]): void {
    this.#head ??= lines;
    this.#kept = [...this.#kept, ...lines].slice(-mostKeptLines);
    this.#stream.write(`${this.#eraseCode()}${lines.join('\n')}\n`);
    this.#drawnLines = 0;
    if (!this.#ended) this.#frame();
  }

  /** Draws a last frame, or takes the block away, and gives the terminal back as it was. */
  end(keepLastFrame: boolean): void {
    if (this.#ended) return;
    if (keepLastFrame) this.#frame();
    this.#ended = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#stream.off?.('resize', this.#onResize);
    const leave = keepLastFrame && this.#drawnLines > 0 ? '\n' : this.#eraseCode();
    this.#stream.write(leave + showCursor);
    this.#drawnLines = 0;
  }

  #schedule(inMs: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#frame(), inMs);
    this.#timer.unref();
  }

  /** Back to the first line of the block, and everything below it gone. */
  #eraseCode(): string {
    if (this.#drawnLines === 0) return '';
    const up = this.#drawnLines > 1 ? `\u001b[${this.#drawnLines - 1}A` : '';
    return `\r${up}${clearBelow}`;
  }

  #frame(): void {
    if (this.#ended) return;
    this.#lastFrameAt = performance.now();
    const width = this.#stream.columns ?? 80;
    const height = this.#room(width);
    const lines = this.#draw(width, height)
      .slice(0, height)
      .map((line) => truncate(line, width));
    const up = this.#drawnLines > 1 ? `\u001b[${this.#drawnLines - 1}A` : '';
    const body = lines.map((line) => line + clearToEndOfLine).join('\n');
    this.#stream.write(`${beginFrame}${this.#drawnLines > 0 ? `\r${up}` : ''}${body}${clearBelow}${endFrame}`);
    this.#drawnLines = lines.length;
    this.#schedule(slowestFrameMs);
  }

  /** The last line holds the cursor: a full screen would scroll. */
  #room(width: number): number {
    const rows = Math.max(1, (this.#stream.rows ?? 24) - 1);
    const head = (this.#head ?? []).reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / width)), 0);
    return Math.max(Math.min(rows, fewestBlockLines), rows - head);
  }

  #resized(): void {
    if (this.#ended) return;
    const rows = this.#stream.rows ?? 24;
    const kept = this.#kept.slice(-Math.floor(rows / 2));
    this.#stream.write(clearScreen + kept.map((line) => `${line}\n`).join(''));
    this.#drawnLines = 0;
    this.#frame();
  }
}
