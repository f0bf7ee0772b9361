import { describe, expect, it } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import { type PostgresAddress, parsePostgresAddress } from './postgresAddress.ts';

const base: PostgresAddress = {
  hosts: [{ host: 'localhost', port: 5432 }],
  user: 'u',
  password: '',
  database: 'u',
  sslMode: 'prefer',
  files: {},
  session: {},
};
const at = (host: string, port = 5432) => ({ hosts: [{ host, port }] });

describe('connection strings of PostgreSQL', () => {
  it.each<[string, Partial<PostgresAddress>]>([
    ['user=u', {}],
    [
      'host=db port=6432 user=u password=p dbname=d sslmode=disable',
      { ...at('db', 6432), password: 'p', database: 'd', sslMode: 'disable' },
    ],
    [`user = u  password = 'it\\'s \\\\ a b'`, { password: `it's \\ a b` }],
    ['user=u password=a\\ b', { password: 'a b' }],
    [`user=u password=''`, {}],
    ['user=u password=p=q', { password: 'p=q' }],
    [' \n user=u\n\tdbname=ö🚀 ', { database: 'ö🚀' }],
    [
      'user=u search_path=app pool_max_conns=4 sslmode=require',
      { sslMode: 'require', session: { search_path: 'app' } },
    ],
    [
      'user=u host=a,b port=1,2',
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
    [
      'user=u host=a,b port=9',
      {
        hosts: [
          { host: 'a', port: 9 },
          { host: 'b', port: 9 },
        ],
      },
    ],
    ['user=u host=/var/run/postgresql', at('/var/run/postgresql')],
    [
      'user=u sslmode=verify-ca sslrootcert=/ca.pem sslcert=/c sslkey=/k',
      { sslMode: 'verify-ca', files: { ca: '/ca.pem', cert: '/c', key: '/k' } },
    ],
    [
      'user=u connect_timeout=5 target_session_attrs=read-only',
      { connectTimeoutSeconds: 5, targetSessionAttributes: 'read-only' },
    ],
    ['postgres://u@db', at('db')],
    [
      'postgresql://u:p%40%2F%3A@db:6432/d%C3%B6?sslmode=verify-full',
      { ...at('db', 6432), password: 'p@/:', database: 'dö', sslMode: 'verify-full' },
    ],
    ['postgres://u:p@q@db/d', { ...at('db'), password: 'p@q', database: 'd' }],
    ['postgres://u:a+b@db', { ...at('db'), password: 'a+b' }],
    ['postgres://u@[::1]:6432/d', { ...at('::1', 6432), database: 'd' }],
    [
      'postgres://u@a:1,b/d',
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 5432 },
        ],
        database: 'd',
      },
    ],
    ['postgres:///d?user=u&host=%2Frun', { ...at('/run'), database: 'd' }],
    ['postgres://u@db/d?options=-c%20x%3D1', { ...at('db'), database: 'd', session: { options: '-c x=1' } }],
  ])('%s', (text, expected) => {
    expect(parsePostgresAddress(text)).toEqual({ ...base, ...expected });
  });

  it.each([
    ['', /neither/],
    ['secret', /neither/],
    [`user=u password='secret`, /neither/],
    ['user=u secret', /neither/],
    ['host=db', /no user/],
    ['user=u port=secret', /port/],
    ['user=u port=70000', /port/],
    ['user=u host=a,b port=1,2,3', /number of ports/],
    ['user=u sslmode=secret', /sslmode/],
    ['postgres://u:%secret@db', /%/],
    ['postgres://u:secret@db:none/d', /host/],
    ['mysql://u:secret@db/d', /neither/],
  ])('refuses %s without quoting it', (text, message) => {
    expect(() => parsePostgresAddress(text)).toThrow(SourceError);
    expect(() => parsePostgresAddress(text)).toThrow(message);
    expect(() => parsePostgresAddress(text)).not.toThrow(/secret/);
  });
});
