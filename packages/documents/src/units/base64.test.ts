import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { base64Bytes } from './base64.ts';
import { utf8Length, utf8Text } from './utf8.ts';

test('bytes come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(base64Bytes(Buffer.from(bytes).toString('base64'))).toEqual(bytes);
    }),
  );
});

test.each(['a', 'YQ', 'YQ=', 'YQ===', 'Y=Q=', '=YQ=', 'YQ==YQ==', 'YQ--', 'Y Q=', '====', 'YW_h'])(
  '%s is not base64, as Go sees it',
  (text) => {
    expect(base64Bytes(text)).toBe(null);
  },
);

test('line ends within are left out', () => {
  expect(base64Bytes('YQ\n==\r\n')).toEqual(new Uint8Array([97]));
  expect(base64Bytes('')).toEqual(new Uint8Array());
});

test('UTF-8 is read and counted as the platform does', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(utf8Text(bytes)).toBe(decoder.decode(bytes));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const bytes = new TextEncoder().encode(text);
      expect(utf8Length(text)).toBe(bytes.length);
      expect(utf8Text(bytes)).toBe(decoder.decode(bytes));
    }),
  );
  const long = 'ä🦊x'.repeat(20_000);
  expect(utf8Text(new TextEncoder().encode(long))).toBe(long);
});
