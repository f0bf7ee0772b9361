import type { Asked, Desk } from './desk.ts';

export interface BurstResult {
  readonly asked: number;
  readonly answered: number;
  readonly errors: number;
  readonly text: string;
}

/** Asks one question many times at once and tells each answer. */
export async function askMany(
  desk: Desk,
  question: string,
  times: number,
  tell: (line: string) => void,
): Promise<BurstResult> {
  const startedAtMs = performance.now();
  const all = await Promise.all(
    Array.from({ length: times }, async (_, index) => {
      // Numbered, so that no two are the same.
      const asked = await desk.ask(times === 1 ? question : `${question} (${index + 1})`);
      tell(`answer to ${index + 1} after ${seconds(asked.doneMs ?? 0)} s by ${asked.by}: ${shown(asked)}`);
      return asked;
    }),
  );
  const tookMs = performance.now() - startedAtMs;
  const errors = all.filter(({ error }) => error !== null).length;
  const twice = all.filter(({ answers }) => answers > 1).length;
  const first = all.flatMap(({ firstPieceMs }) => (firstPieceMs === null ? [] : [firstPieceMs])).sort((a, b) => a - b);
  const median = first[Math.floor(first.length / 2)];
  const text =
    `${times} asked, ${times - errors} answered, ${errors} errors in ${seconds(tookMs)} s` +
    (twice === 0 ? '' : `, ${twice} answered more than once`) +
    (median === undefined ? '' : `; first words after ${seconds(median)} s in the middle`);
  return { asked: times, answered: times - errors, errors, text };
}

function shown({ error, text }: Asked): string {
  if (error !== null) return `no answer: ${error}`;
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
