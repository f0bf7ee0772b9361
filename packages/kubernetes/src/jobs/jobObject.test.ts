import { expect, it } from 'vitest';
import { jobName } from './jobObject.ts';

it('names a Job so that its pods can have the name as a label, and always the same', () => {
  expect(jobName('encoder-x7k2p')).toBe('encoder-x7k2p');
  const long = `${'a'.repeat(56)}.${'b'.repeat(20)}-x7k2p`;
  expect(jobName(long)).toBe(`${'a'.repeat(56)}-x7k2p`);
  expect(jobName(`${'a'.repeat(63)}-x7k2p`)).toHaveLength(63);
  expect(jobName(`${'a'.repeat(63)}-x7k2q`)).not.toBe(jobName(`${'a'.repeat(63)}-x7k2p`));
});
