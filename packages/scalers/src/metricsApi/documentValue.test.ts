import { describe, expect, it } from 'vitest';
import { numberAt, xmlValue, yamlValue } from './documentValue.ts';

describe('YAML', () => {
  const text =
    'foo:\n  bar: 42\n  list:\n    - bar: 43\n    - 44\n  text: 1k\n  größe: 2.5\n  no: null\n  yes: true\n  nan: .nan\n';
  it.each([
    ['foo.bar', 42],
    ['foo.list.0.bar', 43],
    ['foo.list.1', 44],
    ['foo.text', 1000],
    ['foo.größe', 2.5],
    // As in KEDA: the first value on the way.
    ['foo.bar.more', 42],
  ])('%s', async (location, value) => {
    expect(await yamlValue(text, location)).toBe(value);
  });

  it.each([
    ['foo.missing', 'not-found', /nothing there/],
    ['foo', 'bad-answer', /an object/],
    ['foo.list', 'bad-answer', /a list/],
    ['foo.no', 'bad-answer', /null/],
    ['foo.yes', 'bad-answer', /true/],
    ['foo.nan', 'bad-answer', /NaN/],
    ['constructor', 'not-found', /nothing there/],
  ])('%s is an error', async (location, code, message) => {
    const error: unknown = await yamlValue(text, location).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('says that it is not YAML, or too much of it', async () => {
    await expect(yamlValue('a: [1', 'a')).rejects.toMatchObject({ code: 'bad-answer' });
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join(',')}]`)
      .join('\n')}\n`;
    await expect(yamlValue(bomb, 'i.0')).rejects.toMatchObject({ code: 'bad-answer' });
  });
});

describe('XML', () => {
  const text = `<?xml version="1.0"?>
    <stats kind="x"><worker><tasks unit="n"> 12 </tasks><size>1.5Ki</size></worker>
    <queue name="a"><n>3</n></queue><queue name="b"><n>4</n></queue><größe>5</größe><empty/></stats>`;
  it.each([
    ['stats.worker.tasks', 12],
    ['worker.tasks', 12],
    ['worker.size', 1536],
    ['stats.queue.1.n', 4],
    ['größe', 5],
  ])('%s', async (location, value) => {
    expect(await xmlValue(text, location)).toBe(value);
  });

  it.each([
    ['worker.missing', 'not-found'],
    ['worker', 'bad-answer'],
    ['empty', 'bad-answer'],
    ['queue.0.@name', 'bad-answer'],
  ])('%s is an error', async (location, code) => {
    await expect(xmlValue(text, location)).rejects.toMatchObject({ code });
  });

  it('says that it is not XML', async () => {
    await expect(xmlValue('<a><b></a>', 'a')).rejects.toMatchObject({ code: 'bad-answer' });
    await expect(xmlValue('{"a":1}', 'a')).rejects.toMatchObject({ code: 'bad-answer' });
  });

  it('expands no entities that the answer brings along', async () => {
    const lol = '<!DOCTYPE a [<!ENTITY x "1"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>';
    await expect(xmlValue(lol, 'a')).rejects.toMatchObject({ code: 'bad-answer' });
  });
});

it('takes numbers and quantities, and nothing else', () => {
  expect(numberAt(3.5, 'x')).toBe(3.5);
  expect(numberAt(12n, 'x')).toBe(12);
  expect(numberAt('500m', 'x')).toBe(0.5);
  for (const value of [true, null, undefined, [], {}, 'x', '', Number.NaN])
    expect(() => numberAt(value, 'x')).toThrow(/valueLocation "x"/);
});
