import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { StartError } from './exitCodes.ts';
import { writeFileAtomic } from './writeFileAtomic.ts';

const tokenForm = /^ebb_[A-Za-z0-9_-]{43}$/;

/** The owner's token: made on the first start, in a file that only the owner may read. */
export function readOrMakeToken(path: string): string {
  if (!existsSync(path)) writeFileAtomic(path, `ebb_${randomBytes(32).toString('base64url')}\n`);
  chmodSync(path, 0o600);
  const token = readFileSync(path, 'utf8').trim();
  if (!tokenForm.test(token)) {
    throw new StartError('storeUnusable', `${path} does not hold a token: delete the file and a new one is made`);
  }
  return token;
}

/** Compares in constant time, also for another length. */
export function sameToken(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
