import { describe, expect, it } from 'vitest';
import { headerPairs, httpUrl, pairs, timeout } from './httpParameters.ts';

describe('settings of HTTP triggers', () => {
  const description = 'x';
  it.each<[string, number | undefined]>([
    ['1500', 1500],
    ['2s', 2000],
    ['1m30s', 90_000],
    ['1.5s', 1500],
    ['250ms', 250],
    ['0', undefined],
    ['0s', undefined],
  ])('timeout %s', (text, ms) => {
    expect(timeout({ description }).parse(text)).toBe(ms);
  });

  it.each(['', 'x', '-1', '1.5', '2 s', '2days', 's'])('timeout "%s" is refused', (text) => {
    expect(() => timeout({ description }).parse(text)).toThrow(/milliseconds or a duration/);
  });

  it('reads pairs', () => {
    expect(pairs({ description }).parse('a=1, b = x=y ,ü=ö')).toEqual({ a: '1', b: 'x=y', ü: 'ö' });
    expect(pairs({ description }).parse('__proto__=1')).toEqual(Object.fromEntries([['__proto__', '1']]));
    for (const text of ['a', '=1', 'a=1,', 'a=1,b'])
      expect(() => pairs({ description }).parse(text)).toThrow(/name=value/);
  });

  it('refuses what is no header', () => {
    expect(headerPairs({ description }).parse('X-Scope-OrgID=team-a')).toEqual({ 'X-Scope-OrgID': 'team-a' });
    for (const text of ['a b=1', 'x=a\nb', 'ü=1'])
      expect(() => headerPairs({ description }).parse(text)).toThrow(/HTTP headers/);
  });

  it('refuses what is no address over HTTP', () => {
    expect(httpUrl(description).parse(' http://a:1/b ')).toBe('http://a:1/b');
    for (const text of ['prometheus:9090', 'ftp://a', 'a', '/x'])
      expect(() => httpUrl(description).parse(text)).toThrow(/URL/);
  });
});
