import { expect, it } from 'vitest';
import { AnswerCache } from './answerCache.ts';

const never = new AbortController().signal;

it('asks once within the time, and again after it', async () => {
  let nowMs = 0;
  let asked = 0;
  const cache = new AnswerCache(() => nowMs);
  const ask = async () => ({ value: ++asked, keepMs: 100 });
  expect(await Promise.all([cache.get('a', never, ask), cache.get('a', never, ask)])).toEqual([1, 1]);
  nowMs = 99;
  expect(await cache.get('a', never, ask)).toBe(1);
  expect(await cache.get('b', never, ask)).toBe(2);
  nowMs = 100;
  expect(await cache.get('a', never, ask)).toBe(3);
});

it('does not keep a failure', async () => {
  const cache = new AnswerCache(() => 0);
  await expect(cache.get('a', never, () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect(await cache.get('a', never, async () => ({ value: 'up', keepMs: 1 }))).toBe('up');
});

it('lets one give up without taking the answer from another', async () => {
  const cache = new AnswerCache(() => 0);
  const answer = Promise.withResolvers<{ value: string; keepMs: number }>();
  const impatient = new AbortController();
  const first = cache.get('a', impatient.signal, () => answer.promise);
  const second = cache.get('a', never, () => Promise.reject(new Error('asked twice')));
  impatient.abort();
  await expect(first).rejects.toMatchObject({ code: 'timeout' });
  answer.resolve({ value: 'late', keepMs: 1000 });
  expect(await second).toBe('late');
});

it('keeps a bounded number of answers', async () => {
  const cache = new AnswerCache(() => 0);
  let asked = 0;
  const ask = async () => ({ value: ++asked, keepMs: 1000 });
  for (let index = 0; index <= 1000; index++) await cache.get(`key ${index}`, never, ask);
  expect(asked).toBe(1001);
  await cache.get('key 1000', never, ask);
  expect(asked).toBe(1001);
  await cache.get('key 0', never, ask);
  expect(asked).toBe(1002);
});
