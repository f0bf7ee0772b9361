import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageSize } from './imageSize.ts';

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAC0lEQVR42mNgQAcAABIAAeRVjecAAAAASUVORK5CYII=',
  'base64',
);

test('a PNG tells its size in IHDR', () => {
  expect(imageSize(png)).toEqual({ type: 'png', width: 3, height: 2 });
});

test('a JPEG tells its size in the first start of frame, after other segments', () => {
  const jpeg = Buffer.from('ffd8 ffe000040000 ffc4000300 ffc2000b080102030401000000'.replaceAll(' ', ''), 'hex');
  expect(imageSize(jpeg)).toEqual({ type: 'jpeg', width: 0x0304, height: 0x0102 });
});

test('anything else is null, however it is cut', () => {
  expect(imageSize(Buffer.from('{"error":"no"}'))).toBeNull();
  expect(imageSize(png.subarray(0, 20))).toBeNull();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      imageSize(bytes);
      imageSize(Uint8Array.from([0xff, 0xd8, 0xff, ...bytes]));
    }),
  );
});
