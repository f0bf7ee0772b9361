import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Requirement, Taint, Toleration } from '../types.ts';
import { bothRequirements, brokenLabel, contradiction, meets, requirementsOf } from './requirements.ts';
import { tolerates, untolerated } from './taints.ts';
import { allows, intersect, satisfiable, valueSetOf } from './valueSet.ts';

const universe = ['a', 'b', 'c', '-1', '0', '1', '2', '3', '4', '5', '9', '1.5', ''];
const anyText = fc.constantFrom(...universe);
const anyNumber = fc.integer({ min: -2, max: 6 }).map(String);

const anyRequirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    key: fc.constantFrom('x', 'y'),
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.uniqueArray(anyText, { maxLength: 4 }),
  }),
  fc.record({
    key: fc.constantFrom('x', 'y'),
    operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
    values: fc.constant([]),
  }),
  fc.record({
    key: fc.constantFrom('x', 'y'),
    operator: fc.constantFrom('Gt' as const, 'Lt' as const),
    values: fc.oneof(anyNumber, fc.constant('high')).map((value) => [value]),
  }),
);

/** Kubernetes' own words for each operator, once more and apart from the sets. */
function holds({ operator, values }: Requirement, value: string | undefined): boolean {
  const [first = ''] = values;
  const number = value !== undefined && /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return number > Number(first);
    case 'Lt':
      return number < Number(first);
  }
}

const values = [undefined, ...universe];

describe('requirements', () => {
  it('mean what Kubernetes says of each operator', () => {
    fc.assert(
      fc.property(anyRequirement, fc.constantFrom(...values), (requirement, value) => {
        expect(allows(valueSetOf(requirement), value)).toBe(holds(requirement, value));
      }),
    );
  });

  it('intersect to what both allow', () => {
    fc.assert(
      fc.property(fc.array(anyRequirement, { maxLength: 5 }), fc.constantFrom(...values), (list, value) => {
        const set = list.map(valueSetOf).reduce(intersect, requirementsOf([]).get('x') ?? valueSetOf(anything));
        const mustExist = value !== undefined;
        expect(allows(set, value)).toBe(mustExist && list.every((requirement) => holds(requirement, value)));
      }),
    );
  });

  it('are satisfiable when some value or none would do', () => {
    const candidates = [undefined, ...universe, ...Array.from({ length: 20 }, (_, i) => String(i - 5)), 'some-other'];
    fc.assert(
      fc.property(fc.array(anyRequirement, { minLength: 1, maxLength: 5 }), (list) => {
        const sets = requirementsOf(list);
        for (const [key, set] of sets) {
          const mine = list.filter((requirement) => requirement.key === key);
          const found = candidates.some((value) => mine.every((requirement) => holds(requirement, value)));
          expect(satisfiable(set)).toBe(found);
        }
      }),
    );
  });

  it('of two lists are those of one', () => {
    fc.assert(
      fc.property(
        fc.array(anyRequirement, { maxLength: 4 }),
        fc.array(anyRequirement, { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('x', 'y'), anyText),
        (a, b, labels) => {
          const both = bothRequirements(requirementsOf(a), requirementsOf(b));
          expect(meets(both, labels)).toBe([...a, ...b].every((one) => holds(one, labels[one.key])));
          if (contradiction(both) !== null) expect(brokenLabel(both, labels)).not.toBeNull();
        },
      ),
    );
  });

  it('name the label that contradicts itself', () => {
    const list: Requirement[] = [
      { key: 'zone', operator: 'In', values: ['a', 'b'] },
      { key: 'zone', operator: 'NotIn', values: ['a'] },
      { key: 'cores', operator: 'Gt', values: ['4'] },
      { key: 'cores', operator: 'Lt', values: ['5'] },
    ];
    expect(contradiction(requirementsOf(list))).toBe('cores');
    expect(contradiction(requirementsOf(list.slice(0, 3)))).toBeNull();
  });
});

const anything: Requirement = { key: 'x', operator: 'Exists', values: [] };

describe('taints', () => {
  const taint: Taint = { key: 'gpu', value: 'a100', effect: 'NoSchedule' };
  const toleration = (change: Partial<Toleration>): Toleration => ({
    key: 'gpu',
    operator: 'Equal',
    value: 'a100',
    effect: 'NoSchedule',
    ...change,
  });

  it.each([
    ['the same', {}, true],
    ['any effect', { effect: null }, true],
    ['another effect', { effect: 'NoExecute' }, false],
    ['another value', { value: 't4' }, false],
    ['that it exists', { operator: 'Exists', value: '' }, true],
    ['another key', { key: 'cpu' }, false],
    ['everything', { key: null, operator: 'Exists', effect: null }, true],
    ['no key, by value', { key: null }, false],
  ] as const)('tolerating %s', (_, change, expected) => {
    expect(tolerates(toleration(change), taint)).toBe(expected);
    expect(untolerated([taint], [toleration(change)])).toEqual(expected ? null : taint);
  });

  it('that only ask to be preferred keep nothing away', () => {
    expect(untolerated([{ ...taint, effect: 'PreferNoSchedule' }], [])).toBeNull();
    expect(untolerated([{ ...taint, effect: 'PreferNoSchedule' }, taint], [])).toEqual(taint);
  });
});
