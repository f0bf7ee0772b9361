import { expect, it } from 'vitest';
import { AnsweredMessages } from './answeredMessages.ts';

it('tells a message from one at the same place of a topic that was made anew, and forgets the oldest', () => {
  const answered = new AnsweredMessages();
  const at = (offset: bigint, timestamp = 1n) => ({ partition: 0, offset, timestamp });
  answered.add(at(0n));
  expect(answered.has(at(0n))).toBe(true);
  expect(answered.has(at(0n, 2n))).toBe(false);
  expect(answered.has({ ...at(0n), partition: 1 })).toBe(false);
  for (let offset = 1n; offset <= 10_000n; offset++) answered.add(at(offset));
  expect(answered.has(at(0n))).toBe(false);
  expect(answered.has(at(1n))).toBe(true);
});
