import { describe, expect, it } from 'vitest';
import type { RequestHead } from './exchange.ts';
import { answerFields, cookieValue, fieldsByName, requestFields, requestId, trailerFields } from './headers.ts';

function head(fieldList: string[], clientAddress = '10.0.0.9'): RequestHead {
  return {
    method: 'GET',
    target: '/',
    authority: 'models.example:8080',
    scheme: 'http',
    fieldList,
    fields: fieldsByName(fieldList),
    bodyBytes: 0,
    clientAddress,
    upgrade: null,
  };
}

function named(list: string[], name: string): string[] {
  return list.filter((_, index) => index % 2 === 1 && list[index - 1]?.toLowerCase() === name);
}

describe('requestFields', () => {
  it('keeps end-to-end fields in order and case, with repetitions', () => {
    const fields = requestFields(head(['Accept', 'a', 'X-Many', '1', 'X-Many', '2', 'Cookie', 'c=1']), 'id');
    expect(fields.slice(0, 10)).toEqual([
      'host',
      'models.example:8080',
      'Accept',
      'a',
      'X-Many',
      '1',
      'X-Many',
      '2',
      'Cookie',
      'c=1',
    ]);
    expect(named(fields, 'x-request-id')).toEqual(['id']);
  });

  it('leaves out what belongs to the connection, also what it names', () => {
    const fields = requestFields(
      head(
        [
          ['Connection', 'keep-alive, X-Private'],
          ['Keep-Alive', 'timeout=5'],
          ['X-Private', 'secret'],
          ['Upgrade', 'h2c'],
          ['TE', 'trailers, deflate'],
          ['Transfer-Encoding', 'chunked'],
          ['Proxy-Authorization', 'Basic x'],
          ['Expect', '100-continue'],
        ].flat(),
      ),
      'id',
    );
    for (const gone of [
      'connection',
      'keep-alive',
      'x-private',
      'upgrade',
      'transfer-encoding',
      'proxy-authorization',
      'expect',
    ]) {
      expect(named(fields, gone)).toEqual([]);
    }
    expect(named(fields, 'te')).toEqual(['trailers']);
  });

  it('cannot be made to drop Content-Length', () => {
    expect(
      named(requestFields(head(['Connection', 'content-length', 'Content-Length', '5']), 'id'), 'content-length'),
    ).toEqual(['5']);
  });

  it('believes X-Forwarded-* of this machine only', () => {
    const list = ['X-Forwarded-For', '1.2.3.4', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'public.example'];
    const near = requestFields(head(list, '127.0.0.1'), 'id');
    expect(named(near, 'x-forwarded-for')).toEqual(['1.2.3.4, 127.0.0.1']);
    expect(named(near, 'x-forwarded-proto')).toEqual(['https']);
    expect(named(near, 'x-forwarded-host')).toEqual(['public.example']);
    const far = requestFields(head(list), 'id');
    expect(named(far, 'x-forwarded-for')).toEqual(['10.0.0.9']);
    expect(named(far, 'x-forwarded-proto')).toEqual(['http']);
    expect(named(far, 'x-forwarded-host')).toEqual(['models.example:8080']);
  });
});

describe('answerFields', () => {
  it('keeps repetitions, drops the connection and what it names, and adds its own', () => {
    const fields = answerFields(
      [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Connection',
        'x-hop',
        'X-Hop',
        '1',
        'Transfer-Encoding',
        'chunked',
        'X-Ebb-Replica',
        'forged',
      ],
      { 'x-ebb-replica': 'r1' },
    );
    expect(fields).toEqual(['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'x-ebb-replica', 'r1']);
  });
});

describe('small readers', () => {
  it('joins repeated fields, and takes the first host', () => {
    const fields = fieldsByName([
      'Accept',
      'a',
      'accept',
      'b',
      'Cookie',
      'x=1',
      'cookie',
      'y=2',
      'Host',
      'one',
      'host',
      'two',
      '__proto__',
      'p',
    ]);
    expect({ ...fields }).toEqual({ accept: 'a, b', cookie: 'x=1; y=2', host: 'one', ['__proto__']: 'p' });
  });

  it('keeps a decent request id and replaces any other', () => {
    expect(requestId(head(['X-Request-Id', 'abc-1']))).toBe('abc-1');
    expect(requestId(head(['X-Request-Id', 'a b']))).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestId(head(['X-Request-Id', 'x'.repeat(129)]))).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('reads a cookie', () => {
    expect(cookieValue('a=1; session=x=y; b=2', 'session')).toBe('x=y');
    expect(cookieValue('a=1', 'session')).toBeNull();
    expect(cookieValue(undefined, 'session')).toBeNull();
  });

  it('passes no framing or routing in trailers', () => {
    expect(trailerFields(['Grpc-Status', '0', 'Content-Length', '1', 'Transfer-Encoding', 'x'])).toEqual([
      'Grpc-Status',
      '0',
    ]);
  });
});
