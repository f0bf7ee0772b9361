import type { SystemStatus, WatchEvent } from '@ebb/documents';
import type { EbbContext } from '../context.ts';
import type { Colors } from '../text/colors.ts';
import { clockText } from '../text/format.ts';
import { padEnd } from '../text/width.ts';
import { LiveState } from './liveState.ts';
import type { Story } from './narrate.ts';
import { renderLive } from './renderLive.ts';
import { TerminalView } from './terminalView.ts';

/** What follows a running Ebb: redrawn in a terminal, a line a change elsewhere, an event a line for a machine. */
export interface View {
  /** The whole status: at the beginning, and again after a lost stream. */
  begin(status: SystemStatus): void;
  event(event: WatchEvent): void;
  /** Lines that stay. */
  print(...lines: string[]): void;
  end(keepLastFrame: boolean): void;
}

/** The view that suits where the output goes. `footer` is the last line of the live view. */
export function openView(context: EbbContext, footer: string, json: boolean): View {
  if (json) return new JsonView(context);
  const redraws = context.stdout.isTTY && context.env.TERM !== 'dumb';
  return redraws ? new LiveView(context, footer) : openLines(context, (...lines) => context.out(...lines));
}

/** A line a change, written by `write`. */
export function openLines(context: EbbContext, write: (...lines: string[]) => void): View {
  return new LineView(context, write);
}

class LiveView implements View {
  readonly #terminal: TerminalView;
  #state: LiveState | null = null;

  constructor({ stdout, colors, glyphs }: EbbContext, footer: string) {
    this.#terminal = new TerminalView(stdout, (width, height) => {
      if (!this.#state) return [];
      const nowMs = Date.now();
      const model = { status: this.#state.status(), curves: this.#state.curves(nowMs), nowMs, footer };
      return renderLive(model, { width, height, colors, glyphs });
    });
  }

  begin(status: SystemStatus): void {
    if (this.#state) this.#state.replace(status);
    else this.#state = new LiveState(status);
    this.#terminal.refresh();
  }

  event(event: WatchEvent): void {
    this.#state?.apply(event);
    this.#terminal.refresh();
  }

  print(...lines: string[]): void {
    this.#terminal.print(...lines);
  }

  end(keepLastFrame: boolean): void {
    this.#terminal.end(keepLastFrame);
  }
}

class LineView implements View {
  readonly #context: EbbContext;
  readonly #write: (...lines: string[]) => void;
  #state: LiveState | null = null;

  constructor(context: EbbContext, write: (...lines: string[]) => void) {
    this.#context = context;
    this.#write = write;
  }

  begin(status: SystemStatus): void {
    if (this.#state) this.#tell(this.#state.replace(status));
    else this.#state = new LiveState(status);
  }

  event(event: WatchEvent): void {
    if (this.#state) this.#tell(this.#state.apply(event));
  }

  print(...lines: string[]): void {
    this.#write(...lines);
  }

  end(): void {}

  #tell(stories: Story[]): void {
    const at = clockText(Date.now());
    const names = this.#state?.status().workloads.map((workload) => workload.name.length) ?? [];
    const width = Math.max(0, ...names);
    this.#write(...stories.map((story) => storyLine(at, story, width, this.#context.colors)));
  }
}

class JsonView implements View {
  readonly #context: EbbContext;

  constructor(context: EbbContext) {
    this.#context = context;
  }

  begin(status: SystemStatus): void {
    this.#context.stdout.write(`${JSON.stringify({ type: 'system', status })}\n`);
  }

  event(event: WatchEvent): void {
    this.#context.stdout.write(`${JSON.stringify(event)}\n`);
  }

  print(...lines: string[]): void {
    this.#context.note(...lines);
  }

  end(): void {}
}

const tones = { plain: 'bold', good: 'green', bad: 'red', quiet: 'dim' } as const;

/** `14:03:07  upscaler  replica x7k2p is starting`. */
export function storyLine(at: string, story: Story, nameWidth: number, colors: Colors): string {
  return `${colors.dim(at)}  ${padEnd(story.workload, nameWidth)}  ${colors[tones[story.tone]](story.text)}`;
}
