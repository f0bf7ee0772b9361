import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitsLabels, LabelSelectorError, parseLabelSelector } from './labelSelector.ts';

const web = { app: 'web', tier: 'front', 'example.com/team': 'a', cores: '8', empty: '' };

describe('what a selector fits', () => {
  it.each([
    ['', true],
    ['   ', true],
    ['app=web', true],
    ['app==web', true],
    [' app = web , tier == front ', true],
    ['app=web,tier=back', false],
    ['app=Web', false],
    ['example.com/team=a', true],
    ['team=a', false],
    ['app!=api', true],
    ['app!=web', false],
    ['absent!=x', true],
    ['app', true],
    ['absent', false],
    ['!absent', true],
    ['!app', false],
    ['! absent', true],
    ['tier in (front,back)', true],
    ['tier in ( back )', false],
    ['absent in (x)', false],
    ['tier notin (back, cache)', true],
    ['tier notin (front)', false],
    ['absent notin (x)', true],
    ['empty=', true],
    ['empty', true],
    ['app=', false],
    ['app!=', true],
    ['empty in (,a)', true],
    ['app in (,web)', true],
    ['app in (a,)', false],
    ['empty in (a,)', true],
    ['cores>4', true],
    ['cores>8', false],
    ['cores < 9', true],
    ['absent>1', false],
    ['app>1', false],
    ['app=web,tier in (front),!absent,cores>7', true],
    ['in=x', false],
    ['notin in (in)', false],
    ['app in (in, notin, web)', true],
    ['constructor', false],
  ])('%s', (selector, expected) => {
    expect(fitsLabels(parseLabelSelector(selector), web)).toBe(expected);
  });

  it('takes the words in and notin as names and values too', () => {
    expect(fitsLabels(parseLabelSelector('in in (in),notin=notin'), { in: 'in', notin: 'notin' })).toBe(true);
  });
});

describe('what is refused', () => {
  it.each([
    [',', 'expected a label'],
    ['app=web,', 'expected a label, found the end'],
    ['app=web,,tier', 'expected a label'],
    ['=web', 'expected a label'],
    ['app=web tier=front', 'expected a comma or the end, found "tier"'],
    ['app web', 'expected =, ==, !=, in, notin, > or < after app'],
    ['app in', 'expected ( after in or notin, found the end'],
    ['app in a', 'expected ('],
    ['app in ()', 'must not be empty'],
    ['app in (a', 'expected a comma or ), found the end'],
    ['app in (a b)', 'expected a comma or )'],
    ['app in (a=b)', 'expected a comma or )'],
    ['!app=web', 'expected a comma or the end'],
    ['!!app', 'expected a label'],
    ['app===web', 'expected a value'],
    ['app=(a)', 'expected a value'],
    ['cores>many', 'needs a whole number'],
    ['cores>', 'needs a whole number'],
    ['-app=web', 'is no name of a label'],
    ['app=web-', 'is no value of a label'],
    ['app=größe', 'is no value of a label'],
    [`${'a'.repeat(64)}=b`, 'is no name of a label'],
    [`a=${'b'.repeat(64)}`, 'is no value of a label'],
    ['Example.com/a=b', 'must be a DNS name'],
    ['/a=b', 'must be a DNS name'],
    ['a/b/c=d', 'is no name of a label'],
  ])('%s', (selector, said) => {
    expect(() => parseLabelSelector(selector)).toThrow(LabelSelectorError);
    expect(() => parseLabelSelector(selector)).toThrow(said);
  });
});

it('never fails in another way, whatever is written', () => {
  const piece = fc.constantFrom(
    'a',
    'in',
    'notin',
    '(',
    ')',
    ',',
    '!',
    '=',
    '==',
    '!=',
    '>',
    '<',
    ' ',
    '1',
    'x/y',
    '-',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        fitsLabels(parseLabelSelector(pieces.join('')), web);
      } catch (error) {
        expect(error).toBeInstanceOf(LabelSelectorError);
      }
    }),
  );
});

it('is fitted by exactly the labels that it is made of', () => {
  const name = fc.stringMatching(/^[a-z]([a-z0-9]{0,6})$/);
  fc.assert(
    fc.property(fc.dictionary(name, name, { minKeys: 1, maxKeys: 4 }), (labels) => {
      const entries = Object.entries(labels);
      const requirements = parseLabelSelector(entries.map(([key, value]) => `${key}=${value}`).join(','));
      expect(fitsLabels(requirements, labels)).toBe(true);
      for (const [key] of entries) {
        expect(fitsLabels(requirements, { ...labels, [key]: 'OTHER' })).toBe(false);
        const { [key]: _, ...rest } = labels;
        expect(fitsLabels(requirements, rest)).toBe(false);
      }
    }),
  );
});
