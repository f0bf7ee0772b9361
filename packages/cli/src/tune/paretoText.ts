import { costText, shareText, type Tuning, type TuningRun } from '@ebb/simulator';
import type { Glyphs } from '../text/glyphs.ts';

const height = 11;
const leastWidth = 24;
const labelWidth = 8;
const leastLate = 1e-5;

/** Cost to the right (logarithmic where it differs much), late share upwards (logarithmic), a sign a setting: the front in full, `N` now, `F` found. */
export function paretoLines(tuning: Tuning, glyphs: Glyphs, columns: number): string[] {
  const { tried, front, present, tuned, model } = tuning;
  const width = Math.max(leastWidth, Math.min(72, columns - labelWidth - 4));
  const isMoney = present.training.costMicro !== null;
  const sizeOf = ({ costMicro, replicaSeconds }: TuningRun) => (isMoney ? Number(costMicro) : replicaSeconds / 3600);
  const shown = [...tried, present.training];
  const [least, most] = [Math.min(...shown.map(sizeOf)), Math.max(...shown.map(sizeOf))];
  const lates = shown.map(({ onTimeShare }) => 1 - onTimeShare).filter((late) => late > leastLate);
  const promised = Math.max(leastLate, 1 - model.onTimeShare);
  const [low, high] = [Math.min(promised, ...lates) * 0.8, Math.max(promised, ...lates) * 1.25];
  // Settings that cost many times as much would push all others to the left.
  const scaled = most > 4 * least && least > 0 ? Math.log : (size: number) => size;
  const range = Math.max(1e-9, scaled(most) - scaled(least));
  const column = (run: TuningRun) => Math.round(((scaled(sizeOf(run)) - scaled(least)) / range) * (width - 1));
  // The bottom row is for those that are never late.
  const row = (late: number) =>
    late <= leastLate ? height - 1 : Math.round((Math.log(high / late) / Math.log(high / low)) * (height - 2));
  const grid = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '));
  const put = (run: TuningRun, sign: string) => {
    const line = grid[row(1 - run.onTimeShare)];
    if (line) line[column(run)] = sign;
  };
  grid[row(promised)]?.fill('-');
  for (const run of tried) put(run, '.');
  for (const run of front) put(run, run.qualifies ? glyphs.dot : glyphs.hollow);
  put(present.training, 'N');
  put(tuned.training, 'F');
  const labels = new Map([
    [0, late(high)],
    [row(promised), late(promised)],
    [height - 1, 'none'],
  ]);
  const money = (size: number) =>
    isMoney ? costText(String(Math.round(size)), present.training.currency) : `${size.toFixed(1)} h`;
  const right = money(most);
  return [
    'late',
    ...grid.map((line, index) => `${(labels.get(index) ?? '').padStart(labelWidth)} |${line.join('').trimEnd()}`),
    `${' '.repeat(labelWidth)} +${'-'.repeat(width)}`,
    `${' '.repeat(labelWidth + 2)}${money(least).padEnd(Math.max(0, width - right.length))}${right}`,
    `${' '.repeat(labelWidth + 2)}N now, F found, ${glyphs.dot} front, ${glyphs.hollow} front but late, -- the promise (${shareText(model.onTimeShare)} %)`,
  ];
}

const late = (share: number) => `${Number((share * 100).toPrecision(2))} %`;
