import { expect, it } from 'vitest';
import { hashSlot } from './hashSlot.ts';

// As CLUSTER KEYSLOT answers.
it.each([
  ['foo', 12182],
  ['somekey', 11058],
  ['foo{hash_tag}', 2515],
  ['bar{hash_tag}', 2515],
  ['123456789', 12739],
])('%s lies in slot %d', (key, slot) => expect(hashSlot(key)).toBe(slot));
