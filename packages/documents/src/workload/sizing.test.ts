import { expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveWorkload } from './resolve.ts';

const workload = (sizing: string) =>
  `apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata: { name: web }\nspec: { classes: [{ command: [a] }]${sizing} }\n`;
const read = (sizing: string) => parseDocuments(workload(sizing), { file: 'w.yaml' });
const resolved = (sizing: string) =>
  resolveWorkload(read(sizing).documents[0]?.document, { baseDirectory: '/' }).sizing;

test('left out it is absent; named it has defaults', () => {
  expect(resolved('')).toBeUndefined();
  const plain = { apply: 'never', minAllowed: {}, maxAllowed: {}, controlledValues: 'RequestsAndLimits' };
  expect(resolved(', sizing: {}')).toEqual(plain);
  const bounds = '{ minAllowed: { cpu: 100m }, maxAllowed: { cpu: 2, memory: 4Gi } }';
  expect(resolved(`, sizing: { apply: nextRollout, controlledValues: RequestsOnly, bounds: ${bounds} }`)).toEqual({
    apply: 'nextRollout',
    minAllowed: { cpuMilli: 100 },
    maxAllowed: { cpuMilli: 2000, memoryBytes: 4 * 2 ** 30 },
    controlledValues: 'RequestsOnly',
  });
});

test.each([
  [
    ', sizing: { apply: nextRolout }',
    'w.yaml:4:55: error: spec.sizing.apply has the unknown value "nextRolout"\n  allowed: never, nextRollout, inPlace\n  did you mean "nextRollout"?',
  ],
  [
    ', sizing: { bounds: { minAllowed: { memory: 2Gi }, maxAllowed: { memory: 1Gi } } }',
    'w.yaml:4:109: error: maxAllowed of memory is less than minAllowed; memory is at w.yaml:4:80',
  ],
])('%s', (sizing, expected) => {
  const errors = read(sizing).problems.filter(({ severity }) => severity === 'error');
  expect(errors.map(problemText)).toEqual([expected]);
});
