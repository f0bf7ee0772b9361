import type { EbbContext } from '../context.ts';
import { clockText } from '../text/format.ts';

const everyMs = 200;
const everySteps = 256;

export interface Progress {
  /** One more decision, of a moment of the journal. */
  step(atMs: number): void;
  end(): void;
}

/** A line on a terminal that says how far a long replay is; nothing elsewhere. */
export function progressLine({ stderr, glyphs }: EbbContext): Progress {
  if (!stderr.isTTY) return { step: () => {}, end: () => {} };
  let steps = 0;
  let toldMs = performance.now();
  let told = false;
  return {
    step: (atMs) => {
      if (++steps % everySteps !== 0 || performance.now() - toldMs < everyMs) return;
      toldMs = performance.now();
      told = true;
      stderr.write(`\r\u001b[2K${steps.toLocaleString('en')} decisions, ${clockText(atMs)} ${glyphs.ellipsis}`);
    },
    end: () => {
      if (told) stderr.write('\r\u001b[2K');
    },
  };
}
