import { type CompareProgress, lengthText } from '@ebb/simulator';
import type { EbbContext } from '../context.ts';
import { truncate } from '../text/width.ts';

const everyMs = 100;
const barWidth = 24;
/** An estimate from less than this is none. */
const leastShare = 0.02;

export interface ProgressBar {
  show(progress: CompareProgress): void;
  end(): void;
}

/** A bar with an estimate on a terminal, a line for each run that is done elsewhere. */
export function progressBar({ stderr, glyphs, errorColors, note }: EbbContext): ProgressBar {
  const beganMs = performance.now();
  let toldMs = 0;
  let told = 0;
  if (!stderr.isTTY) {
    return {
      show: ({ done, total, last }) => {
        if (done === told || last === null) return;
        told = done;
        note(`${done} of ${total}: ${last}`);
      },
      end: () => {},
    };
  }
  return {
    show: ({ done, total, share, last }) => {
      const nowMs = performance.now();
      if (nowMs - toldMs < everyMs) return;
      toldMs = nowMs;
      told++;
      const full = Math.round(share * barWidth);
      const [empty = '.', ...levels] = glyphs.levels;
      const bar =
        errorColors.green((levels.at(-1) ?? '#').repeat(full)) + errorColors.dim(empty.repeat(barWidth - full));
      const leftMs = ((nowMs - beganMs) * (1 - share)) / Math.max(share, leastShare);
      const left = share < leastShare ? '' : `, ${lengthText(Math.ceil(leftMs / 1000) * 1000)} left`;
      const line = `${bar} ${Math.floor(share * 100)} %  ${done} of ${total}${left}  ${errorColors.dim(last ?? '')}`;
      stderr.write(`\r\u001b[2K${truncate(line, (stderr.columns ?? 80) - 1, glyphs.cut)}`);
    },
    end: () => {
      if (told > 0) stderr.write('\r\u001b[2K');
    },
  };
}
