import { expect, test } from 'vitest';
import { findKind } from './kinds.ts';
import { didYouMean } from './suggest.ts';

const names = ['upscaler', 'hello', 'hello-python'];

test.each([
  ['upsacler', ' Did you mean "upscaler"?'],
  ['Upscaler', ' Did you mean "upscaler"?'],
  ['ups', ' Did you mean "upscaler"?'],
  ['helo', ' Did you mean "hello"?'],
  ['hello-pyhton', ' Did you mean "hello-python"?'],
  ['xyz', ''],
  ['', ''],
  ['hello', ''],
])('%s:%s', (typed, question) => {
  expect(didYouMean(typed, names)).toBe(question);
});

test.each(['wl', 'workload', 'workloads', 'Workload', 'WORKLOADS'])('%s is the kind Workload', (word) => {
  expect(findKind(word).kind).toBe('Workload');
});

test('an unknown kind names the nearest and all there are', () => {
  expect(() => findKind('workloda')).toThrow('there is no kind "workloda". Did you mean "workload"?');
  expect(() => findKind('pods')).toThrow(/^there is no kind "pods"\.$/);
});
