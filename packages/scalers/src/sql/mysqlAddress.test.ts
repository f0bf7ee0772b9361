import { describe, expect, it } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import { type MysqlAddress, parseMysqlAddress } from './mysqlAddress.ts';

const base: MysqlAddress = { host: '127.0.0.1', port: 3306, user: '', password: '', tls: 'false', session: {} };

describe('connection strings of MySQL in the form of Go', () => {
  it.each<[string, Partial<MysqlAddress>]>([
    ['/', {}],
    ['u:p@tcp(db:3307)/d', { host: 'db', port: 3307, user: 'u', password: 'p', database: 'd' }],
    ['u:p@tcp(db)/d', { host: 'db', user: 'u', password: 'p', database: 'd' }],
    ['u@tcp/d', { user: 'u', database: 'd' }],
    ['u:p@/d', { user: 'u', password: 'p', database: 'd' }],
    ['u:p@w:/x@tcp(db:1)/d', { host: 'db', port: 1, user: 'u', password: 'p@w:/x', database: 'd' }],
    ['u:p@tcp([de:ad::1]:80)/d', { host: 'de:ad::1', port: 80, user: 'u', password: 'p', database: 'd' }],
    ['u@tcp(db:1)/d%2Fx?tls=skip-verify', { host: 'db', port: 1, user: 'u', database: 'd/x', tls: 'skip-verify' }],
    [
      'u@tcp(db:1)/ö?tls=true&charset=utf8mb4,utf8',
      { host: 'db', port: 1, user: 'u', database: 'ö', tls: 'true', charset: 'utf8mb4' },
    ],
    [
      'u@tcp(db:1)/?tls=preferred&collation=utf8mb4_bin&charset=latin1',
      { host: 'db', port: 1, user: 'u', tls: 'preferred', charset: 'utf8mb4_bin' },
    ],
    ['u@/d?timeout=5s&parseTime=true&loc=Europe%2FBerlin', { user: 'u', database: 'd', connectTimeoutMs: 5000 }],
    ['u@/d?time_zone=%27UTC%27&a;b=1', { user: 'u', database: 'd', session: { time_zone: `'UTC'` } }],
  ])('%s', (text, expected) => {
    expect(parseMysqlAddress(text)).toEqual({ ...base, ...expected });
  });

  it('knows Unix sockets', () => {
    const { host: _h, port: _p, ...rest } = base;
    expect(parseMysqlAddress('u@unix(/run/mysqld.sock)/d')).toEqual({
      ...rest,
      user: 'u',
      database: 'd',
      socketPath: '/run/mysqld.sock',
    });
  });

  it.each([
    ['secret', /no \//],
    ['mysql://u:secret@db/d', /is a URL/],
    ['u:secret@db/d', /network/],
    ['u:secret@tcp(db:x)/d', /host:port/],
    ['u:secret@/d?tls=custom', /unknown tls/],
    ['u:secret@/d?timeout=x', /timeout/],
    ['u:secret@/%zz', /%/],
  ])('refuses %s without quoting it', (text, message) => {
    expect(() => parseMysqlAddress(text)).toThrow(SourceError);
    expect(() => parseMysqlAddress(text)).toThrow(message);
    expect(() => parseMysqlAddress(text)).not.toThrow(/secret/);
  });
});
