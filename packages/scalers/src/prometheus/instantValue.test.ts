import { describe, expect, it } from 'vitest';
import { instantValue } from './instantValue.ts';

const answer = (resultType: string, result: unknown) =>
  JSON.stringify({ status: 'success', data: { resultType, result } });
const vector = (...values: string[]) =>
  answer(
    'vector',
    values.map((value) => ({ metric: {}, value: [1700000000.1, value] })),
  );

describe('the value of an instant query', () => {
  it.each([
    [vector('3'), 3],
    [vector('0.25'), 0.25],
    [vector('-4'), -4],
    [vector('1e+06'), 1_000_000],
    [answer('scalar', [1700000000, '7']), 7],
    // Services that speak Prometheus' language and leave the type out.
    [JSON.stringify({ data: { result: [{ value: [1, '5'] }] } }), 5],
  ])('%s', (text, value) => {
    expect(instantValue(text, 'prometheus')).toEqual({ value });
  });

  it.each([
    [vector(), /no series/],
    [vector('NaN'), /NaN/],
    [vector('+Inf'), /\+Inf/],
    [vector('-Inf'), /-Inf/],
    [answer('scalar', [1, 'NaN']), /NaN/],
    [answer('matrix', [{ metric: {}, values: [[1, '2']] }]), /range/],
    [answer('vector', [{ metric: {}, histogram: [1, {}] }]), /histogram/],
  ])('%s has none', (text, missing) => {
    expect(instantValue(text, 'prometheus')).toEqual({ missing: expect.stringMatching(missing) });
  });

  it.each([
    [vector('1', '2'), 'bad-setting', /2 series/],
    [answer('string', [1, 'x']), 'bad-setting', /text/],
    ['<html>', 'bad-answer', /not the answer/],
    ['null', 'bad-answer', /not the answer/],
    ['{"status":"success"}', 'bad-answer', /not the answer/],
    [answer('vector', null), 'bad-answer', /not the answer/],
    [answer('vector', [null]), 'bad-answer', /not the answer/],
    [answer('vector', [{ value: [1, 2] }]), 'bad-answer', /not the answer/],
    [vector('abc'), 'bad-answer', /not the answer/],
  ])('%s is an error', (text, code, message) => {
    expect(() => instantValue(text, 'prometheus')).toThrow(expect.objectContaining({ code }));
    expect(() => instantValue(text, 'prometheus')).toThrow(message);
  });
});
