import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readOrMakeToken, sameToken } from './ownerToken.ts';
import { temporaryDirectory } from './temporaryDirectory.fixture.ts';

describe('the owner’s token', () => {
  it('is made once, from 32 random bytes, for the owner only', () => {
    const path = join(temporaryDirectory(), 'token');
    const token = readOrMakeToken(path);
    expect(token).toMatch(/^ebb_[A-Za-z0-9_-]{43}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readOrMakeToken(path)).toBe(token);
    expect(readOrMakeToken(join(temporaryDirectory(), 'token'))).not.toBe(token);
  });

  it('takes the rights of others back and refuses what is no token', () => {
    const path = join(temporaryDirectory(), 'token');
    readOrMakeToken(path);
    chmodSync(path, 0o644);
    readOrMakeToken(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, '');
    expect(() => readOrMakeToken(path)).toThrow(/does not hold a token/);
  });

  it('is compared whole', () => {
    expect(sameToken('ebb_a', 'ebb_a')).toBe(true);
    for (const other of ['', 'ebb_', 'ebb_b', 'ebb_aa']) expect(sameToken(other, 'ebb_a')).toBe(false);
  });
});
