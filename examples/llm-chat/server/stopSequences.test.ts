import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StopSequences } from './stopSequences.ts';

// Few letters, so that stop sequences overlap one another and the text.
const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 });

it('shows the text up to the first stop sequence, however it is cut into pieces', () => {
  fc.assert(
    fc.property(
      letters,
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), { maxLength: 4 }),
      fc.array(fc.nat({ max: 30 })),
      (text, stops, cuts) => {
        const places = [0, ...cuts.filter((cut) => cut <= text.length).toSorted((a, b) => a - b), text.length];
        const sequences = new StopSequences(stops);
        let shown = '';
        let read = 0;
        for (const [index, from] of places.slice(0, -1).entries()) {
          if (sequences.found) break;
          const piece = text.slice(from, places[index + 1]);
          read += piece.length;
          shown += sequences.push(piece);
        }
        shown += sequences.end();
        // What was read by then decides: of two that end in one piece, the one that begins first counts.
        const starts = stops.map((stop) => text.slice(0, read).indexOf(stop)).filter((start) => start >= 0);
        expect(sequences.found).toBe(starts.length > 0);
        expect(shown).toBe(starts.length > 0 ? text.slice(0, Math.min(...starts)) : text);
      },
    ),
  );
});

it('holds back no more than may belong to a stop sequence', () => {
  const sequences = new StopSequences(['<end>']);
  expect(sequences.push('a < b <e')).toBe('a < b ');
  expect(sequences.push('n')).toBe('');
  expect(sequences.push('t')).toBe('<ent');
  expect(sequences.end()).toBe('');
});
