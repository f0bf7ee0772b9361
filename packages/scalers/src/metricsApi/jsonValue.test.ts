import { describe, expect, it } from 'vitest';
import { SettingFault } from '../contract/parameter.ts';
import { parseJsonPath } from './gjsonPath.ts';
import { jsonValue } from './jsonValue.ts';

const document: unknown = JSON.parse(`{
  "name": {"first": "Tom", "last": "Anderson"},
  "age": 37,
  "children": ["Sara", "Alex", "Jack"],
  "fav.movie": "Deer Hunter",
  "a|b": 1,
  "star*": 2,
  "#": 3,
  "2": "two",
  "__proto__": {"polluted": 4},
  "größe": {"naïve 🚀": 5},
  "friends": [
    {"first": "Dale", "last": "Murphy", "age": 44, "nets": ["ig", "fb", "tw"], "on": true},
    {"first": "Roger", "last": "Craig", "age": 68, "nets": ["fb", "tw"], "on": false},
    {"first": "Jane", "last": "Murphy", "age": 47, "nets": ["ig", "tw"], "on": null},
    {"last": "(x) \\"y\\"", "age": 0, "nets": []}
  ],
  "vals": [{"a": 1, "b": true}, {"a": 2, "b": "1"}, {"a": 3, "b": 0}, {"a": 4}, {"a": 5, "b": "no"}],
  "deep": [[1, 2], [3]]
}`);

const at = (path: string) => jsonValue(document, parseJsonPath(path));

describe('GJSON paths, as its documentation and source tell them', () => {
  it.each<[string, unknown]>([
    ['name.last', 'Anderson'],
    ['age', 37],
    ['children.#', 3],
    ['children.1', 'Alex'],
    ['child*.2', 'Jack'],
    ['c?ildren.0', 'Sara'],
    ['fav\\.movie', 'Deer Hunter'],
    ['a\\|b', 1],
    ['star\\*', 2],
    ['\\#', 3],
    ['#', 3],
    ['2', 'two'],
    ['__proto__.polluted', 4],
    ['constructor', undefined],
    ['größe.na?ve 🚀', 5],
    ['friends.#.first', ['Dale', 'Roger', 'Jane']],
    ['friends.1.last', 'Craig'],
    ['friends.#.nets.#', [3, 2, 2, 0]],
    ['friends.#(last=="Murphy").first', 'Dale'],
    ['friends.#(last="Murphy").first', 'Dale'],
    ['friends.#[last=="Murphy"].first', 'Dale'],
    ['friends.#(last=="Murphy")#.first', ['Dale', 'Jane']],
    ['friends.#(last=="Murphy")#|#', 2],
    ['friends.#(last=="Murphy")#|0.first', 'Dale'],
    ['friends.#(age>45)#.last', ['Craig', 'Murphy']],
    ['friends.#(age>=47)#|#', 2],
    ['friends.#(age<"45")#.age', [44, 0]],
    ['friends.#(age!=44)#|#', 3],
    ['friends.#(first%"D*").last', 'Murphy'],
    ['friends.#(first!%"D*").last', 'Craig'],
    ['friends.#(nets.#(=="fb"))#.first', ['Dale', 'Roger']],
    ['friends.#(nets.#>2).first', 'Dale'],
    ['friends.#(first)#|#', 3],
    ['friends.#(last=="(x) \\"y\\"").age', 0],
    ['friends.#(on==true)#|#', 1],
    ['friends.#(on==false).first', 'Roger'],
    ['friends.#(on!=true).first', 'Roger'],
    ['friends.#(on==null).first', undefined],
    ['friends.#(on==~null)#|#', 2],
    ['friends.#(nope=="x").first', undefined],
    ['children.#(!%"*a*")', 'Alex'],
    ['children.#(%"*x*")', 'Alex'],
    ['children.#(>"J")#', ['Sara', 'Jack']],
    ['vals.#(b==~true)#.a', [1, 2]],
    ['vals.#(b==~false)#.a', [3, 4]],
    ['vals.#(b==~*)#.a', [1, 2, 3, 5]],
    ['deep.#.#', [2, 1]],
    ['f*', 'Deer Hunter'],
    ['f*.1.age', 68],
    ['f*.#', 4],
    ['deep.0.1', 2],
    ['deep.#|1', undefined],
    ['deep.#.0|1', 3],
    ['children|1', 'Alex'],
    ['name.middle', undefined],
    ['age.x', undefined],
    ['children.x', undefined],
    ['children.-1', undefined],
    ['friends.9.first', undefined],
  ])('%s', (path, value) => {
    expect(at(path)).toEqual(value);
  });

  it.each([
    ['', /empty/],
    ['@this', /modifiers/],
    ['friends.@reverse', /modifiers/],
    ['children|@reverse|0', /modifiers/],
    ['[name,age]', /several paths/],
    ['{name}', /several paths/],
    ['!"static"', /literals/],
    ['..#', /JSON lines/],
    ['friends.#(last=="Murphy"', /not closed/],
    ['friends.#(last=="Murphy"]', /not closed/],
    ['friends.#(last=="Murphy")x', /behind a query/],
    ['vals.#(b==~maybe)', /~/],
    [`a.${'#('.repeat(30)}x${')'.repeat(30)}`, /deep/],
  ])('refuses %s', (path, message) => {
    expect(() => parseJsonPath(path)).toThrow(SettingFault);
    expect(() => parseJsonPath(path)).toThrow(message);
  });

  it('takes no longer for a pattern of many stars', () => {
    const startedMs = performance.now();
    expect(jsonValue({ [`${'a'.repeat(5000)}b`]: 1 }, parseJsonPath(`${'*'.repeat(60)}c`))).toBeUndefined();
    expect(performance.now() - startedMs).toBeLessThan(500);
  });
});
