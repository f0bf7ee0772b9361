import { StoreError } from '@ebb/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packBody, storedBytes, unpackBody } from './packedBody.ts';

describe('a packed body', () => {
  it('comes back as it was, and is never longer', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.nat(40), (json, repeats) => {
        const text = `[${Array.from({ length: repeats + 1 }, () => json).join(',')}]`;
        const stored = packBody(text);
        expect(unpackBody(stored)).toBe(text);
        expect(storedBytes(stored)).toBeLessThanOrEqual(Buffer.byteLength(text));
      }),
    );
  });

  it('is small where much is alike', () => {
    const text = JSON.stringify(
      Array.from({ length: 60 }, (_, i) => ({ atMs: 1_700_000_000_000 + i * 1000, value: 1.5 })),
    );
    expect(storedBytes(packBody(text))).toBeLessThan(text.length / 4);
  });

  it('that was damaged is told as such', () => {
    const { body, packed } = packBody('x'.repeat(1000));
    packed?.fill(0, 4);
    expect(() => unpackBody({ body, packed })).toThrow(StoreError);
  });
});
