import { expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveNodePool } from './resolve.ts';

const pool = (spec: string) =>
  `apiVersion: ebb.dev/v1alpha1\nkind: NodePool\nmetadata: { name: gpu }\nspec: { ${spec} }\n`;
const resolved = (spec: string) =>
  resolveNodePool(parseDocuments(pool(spec), { file: 'p.yaml' }).documents[0]?.document).spot;
const errorsOf = (spec: string) =>
  parseDocuments(pool(spec), { file: 'p.yaml' })
    .problems.filter(({ severity }) => severity === 'error')
    .map(problemText);

test('without spot there is no hedge; with it everything has a default', () => {
  expect(resolved('capacityTypes: [spot, on-demand]')).toBeNull();
  expect(resolved('capacityTypes: [spot, on-demand], spot: {}')).toEqual({
    onDemandFloor: { count: 0 },
    overProvision: 'auto',
    fallback: true,
    spread: 'zone',
  });
});

test('a floor is a count or a part', () => {
  const all = 'capacityTypes: [spot, on-demand], spot: { overProvision: 2, spread: none, onDemandFloor: ';
  expect(resolved(`${all} 3 }`)).toMatchObject({ onDemandFloor: { count: 3 }, overProvision: 2, spread: 'none' });
  expect(resolved(`${all} 20% }`)?.onDemandFloor).toEqual({ share: 0.2 });
  expect(resolved('capacityTypes: [spot], spot: { fallback: false }')).toMatchObject({ fallback: false });
});

test.each([
  ['spot: {}', 'spot says nothing for a pool that does not rent spot; add spot to capacityTypes'],
  ['capacityTypes: [spot], spot: { onDemandFloor: 1 }', 'a floor on demand and a pool that does not rent on demand'],
  ['capacityTypes: [spot], spot: {}', 'fallback needs on-demand in capacityTypes; add it, or write fallback: false'],
  ['capacityTypes: [spot], spot: { onDemandFlor: 1 }', 'did you mean "onDemandFloor"?'],
  ['capacityTypes: [spot, on-demand], spot: { onDemandFloor: 120% }', 'must be a number or a percentage, such as 20%'],
])('%s', (spec, message) => {
  expect(errorsOf(spec).join('\n')).toContain(message);
});
