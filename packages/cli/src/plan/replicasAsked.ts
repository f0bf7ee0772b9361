import { Failure } from '../failure.ts';

/** `NAME=N` of every `--replicas`. Throws a `Failure` (usage). */
export function replicasAsked(texts: readonly string[]): Map<string, number> {
  const asked = new Map<string, number>();
  for (const text of texts) {
    const [, name = '', count = ''] = /^([^=\s]+)=(\d{1,6})$/.exec(text) ?? [];
    if (name === '') {
      throw new Failure('usage', `--replicas: "${text}" is not NAME=N, N a whole number of at most six digits.`);
    }
    if (asked.has(name)) throw new Failure('usage', `--replicas: "${name}" is given twice.`);
    asked.set(name, Number(count));
  }
  return asked;
}
