import { expect, it } from 'vitest';
import { liveThrough } from './lives.fixture.ts';

it('keeps every rule over 300 more seeded lives of a cluster', () => {
  expect(liveThrough(81, 300)).toBeGreaterThan(300);
});
