import { describe, expect, test } from 'vitest';
import { explained, scrubbed } from './errors.ts';
import { quoted, readStoreSettings, storePlace } from './settings.ts';

const url = 'postgres://ebb:in-url@db.example:6432/store?sslmode=verify-full&sslrootcert=/etc/ebb/store/ca.crt';

describe('where the store is', () => {
  test('nothing said is none', () => {
    expect(readStoreSettings({})).toBeNull();
    expect(readStoreSettings({ EBB_STORE_URL: ' ', EBB_STORE_SCHEMA: 'x' })).toBeNull();
  });

  test('is read from the URL, with the schema ebb', () => {
    const settings = readStoreSettings({ EBB_STORE_URL: url });
    expect(settings).toMatchObject({
      schema: 'ebb',
      address: {
        hosts: [{ host: 'db.example', port: 6432 }],
        user: 'ebb',
        password: 'in-url',
        database: 'store',
        sslMode: 'verify-full',
        files: { ca: '/etc/ebb/store/ca.crt' },
      },
    });
    expect(settings && storePlace(settings)).toBe('postgresql db.example:6432/store (schema ebb)');
  });

  test('a password of its own comes before the one of the URL', () => {
    const env = { EBB_STORE_URL: url, EBB_STORE_PASSWORD: 'other', EBB_STORE_SCHEMA: 'team_a' };
    expect(readStoreSettings(env)).toMatchObject({ schema: 'team_a', address: { password: 'other' } });
  });

  test.each([
    [{ EBB_STORE_PASSWORD: 'word' }, 'EBB_STORE_URL is not'],
    [{ EBB_STORE_URL: 'mysql://u:word@h/d' }, 'EBB_STORE_URL: the connection string is neither'],
    [{ EBB_STORE_URL: 'postgres://u:word@h:99999/d' }, 'EBB_STORE_URL: the connection string has a port'],
    [{ EBB_STORE_URL: 'postgres://u:word@h/d?sslmode=maybe' }, 'unknown sslmode'],
    [{ EBB_STORE_URL: url, EBB_STORE_SCHEMA: 'pg_own' }, '"pg_own" is not the name of a schema'],
    [{ EBB_STORE_URL: url, EBB_STORE_SCHEMA: 'a"; drop' }, 'is not the name of a schema'],
  ])('%j is refused, without the password', (env, told) => {
    let said = '';
    try {
      readStoreSettings(env);
    } catch (error) {
      said = String(error);
    }
    expect(said).toContain(told);
    expect(said).not.toContain('word@');
    expect(said).not.toContain('"word"');
  });

  test('a name is quoted', () => {
    expect(quoted('a"b')).toBe('"a""b"');
  });
});

describe('what a server says', () => {
  test('is told without any password, as it is and as it stands in a URL', () => {
    expect(scrubbed('a p&w b p%26w c', ['p&w', ''])).toBe('a *** b *** c');
    const server = Object.assign(new Error('no user "x" with p&w'), {
      name: 'PostgresError',
      code: '28P01',
      query: 'p&w',
    });
    const { error, isAway } = explained(server, 'there', ['p&w']);
    expect(isAway).toBe(false);
    expect(error.message).toBe('there: no user "x" with *** (28P01)');
    expect(JSON.stringify([error, { ...error }, error.cause])).not.toContain('p&w');
  });

  test.each([
    ['57P01', true],
    ['53300', true],
    ['53100', true],
    ['25006', true],
    ['57014', false],
    ['42501', false],
    ['22P02', false],
  ])('%s means that the database is away: %s', (code, expected) => {
    const server = Object.assign(new Error('x'), { name: 'PostgresError', code });
    expect(explained(server, 'there', []).isAway).toBe(expected);
  });
});
