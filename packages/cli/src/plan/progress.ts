import type { PlacementInput } from '@ebb/core';
import type { EbbContext } from '../context.ts';
import { countText } from '../text/format.ts';
import { truncate } from '../text/width.ts';

const everyMs = 250;

/** What is being planned, with the seconds so far on a terminal, as one line elsewhere. */
export function planningLine({ stderr, glyphs, note }: EbbContext, { pods, pools }: PlacementInput): { end(): void } {
  const offers = pools.reduce((sum, { offerings }) => sum + offerings.length, 0);
  const what = `placing ${countText(pods.length, 'replica')}, ${countText(offers, 'offering')} to choose from`;
  if (!stderr.isTTY) {
    note(what);
    return { end: () => {} };
  }
  const beganMs = performance.now();
  const show = () => {
    const line = `${what}  ${Math.floor((performance.now() - beganMs) / 1000)} s`;
    stderr.write(`\r\u001b[2K${truncate(line, (stderr.columns || 80) - 1, glyphs.cut)}`);
  };
  show();
  const timer = setInterval(show, everyMs);
  return {
    end: () => {
      clearInterval(timer);
      stderr.write('\r\u001b[2K');
    },
  };
}
