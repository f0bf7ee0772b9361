import { posix } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { folderOf, joinPath } from './joinPath.ts';

test('joins as node:path does', () => {
  const part = fc.constantFrom('a', 'b c', '.', '..', '', '...', '.x');
  const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(path, path, (base, relative) => {
      expect(joinPath(`/${base}`, relative)).toBe(posix.resolve(`/${base}`, relative));
    }),
  );
});

test('the folder of a file', () => {
  expect(folderOf('/srv/models/workload.yaml')).toBe('/srv/models');
  expect(folderOf('/workload.yaml')).toBe('/');
});

test('a relative base is refused', () => {
  expect(() => joinPath('srv', 'a')).toThrow('the base directory "srv" is not absolute');
});
