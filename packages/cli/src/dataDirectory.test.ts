import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findDataDirectory } from './dataDirectory.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ebb-data-'));
  mkdirSync(join(root, 'project', '.ebb'), { recursive: true });
  mkdirSync(join(root, 'project', 'deep', 'er'), { recursive: true });
  mkdirSync(join(root, 'other'));
  writeFileSync(join(root, 'other', '.ebb'), 'a file, not a folder');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('the flag comes first, relative to the working folder', () => {
  expect(findDataDirectory('there', { EBB_DATA: '/x' }, root)).toEqual({ path: join(root, 'there'), from: '--data' });
  expect(findDataDirectory('~/there', {}, root).path).toBe(join(homedir(), 'there'));
});

test('then the environment', () => {
  expect(findDataDirectory(undefined, { EBB_DATA: 'x' }, root)).toEqual({ path: join(root, 'x'), from: '$EBB_DATA' });
});

test('then the nearest .ebb folder upwards', () => {
  const found = { path: join(root, 'project', '.ebb'), from: 'found' };
  expect(findDataDirectory(undefined, {}, join(root, 'project', 'deep', 'er'))).toEqual(found);
  expect(findDataDirectory(undefined, { EBB_DATA: '' }, join(root, 'project'))).toEqual(found);
});

test('a file of that name is passed over; else .ebb right here', () => {
  const other = join(root, 'other');
  expect(findDataDirectory(undefined, {}, other)).toEqual({ path: join(other, '.ebb'), from: 'default' });
});
