import type { Frame } from './frame.ts';
import { type Assertion, isWord, type Regex } from './regex.ts';

/** Whether the pattern is found anywhere in the text. */
export function matches(regex: Regex, text: string, frame: Frame): boolean {
  const { steps } = regex;
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  let current = new Set<number>();
  for (let at = 0; at <= codes.length; at += 1) {
    // A match may begin here too.
    current.add(steps.length - 1);
    const next = new Set<number>();
    const pending = [...current];
    for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
      frame.step();
      const instruction = steps[step];
      const follow = (other: number) => {
        if (current.has(other)) return;
        current.add(other);
        pending.push(other);
      };
      if (instruction?.type === 'match') return true;
      if (instruction?.type === 'split') {
        follow(instruction.next);
        follow(instruction.other);
      } else if (instruction?.type === 'assertion') {
        if (holds(instruction.assertion, codes, at)) follow(instruction.next);
      } else if (instruction?.type === 'character' && at < codes.length && instruction.accepts(codes[at] ?? 0)) {
        next.add(instruction.next);
      }
    }
    current = next;
  }
  return false;
}

function holds(assertion: Assertion, codes: number[], at: number): boolean {
  if (assertion === 'start') return at === 0;
  if (assertion === 'end') return at === codes.length;
  const isBoundary = isWord(codes[at - 1] ?? 0) !== isWord(codes[at] ?? 0);
  return isBoundary === (assertion === 'boundary');
}
