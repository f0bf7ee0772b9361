// @ts-check
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';

/** @typedef {'image/png' | 'image/jpeg'} ImageType */
/** @typedef {{ width: number, height: number, rgb: Uint8Array }} Picture packed rows, three bytes a pixel */

const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

/** The bytes are not the picture they were said to be. The message names what is wrong, for the caller. */
export class BadImage extends Error {}

/** @param {string | undefined} contentType @returns {ImageType | undefined} */
export function imageTypeOf(contentType) {
  const name = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return name === 'image/png' || name === 'image/jpeg' ? name : undefined;
}

/**
 * The size that the header states, read before anything is decoded: a few bytes can ask for gigabytes of pixels.
 * @param {Buffer} bytes @param {ImageType} type @returns {{ width: number, height: number }}
 */
export function readSize(bytes, type) {
  const size = type === 'image/png' ? readPngSize(bytes) : readJpegSize(bytes);
  if (size.width === 0 || size.height === 0) throw new BadImage('the picture has no pixels');
  return size;
}

/** @param {Buffer} bytes */
function readPngSize(bytes) {
  if (!bytes.subarray(0, 8).equals(pngSignature)) throw new BadImage('the body does not start as a PNG does');
  if (bytes.length < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR') throw new BadImage('the PNG has no IHDR chunk');
  // The decoder inflates these without a bound.
  if (bytes[28] !== 0) throw new BadImage('interlaced PNG is not supported');
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** @param {Buffer} bytes */
function readJpegSize(bytes) {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) {
    throw new BadImage('the body does not start as a JPEG does');
  }
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    // Start of frame: C0..CF but for the tables and extensions DHT, JPG and DAC.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    }
    // FF may be repeated as padding.
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2);
  }
  throw new BadImage('the JPEG has no start-of-frame segment');
}

/** @param {Buffer} bytes @param {ImageType} type @returns {Picture} */
export function decode(bytes, type) {
  try {
    const { width, height, data } =
      type === 'image/png'
        ? PNG.sync.read(bytes)
        : jpeg.decode(bytes, { useTArray: true, tolerantDecoding: false, maxMemoryUsageInMB: 128 });
    return { width, height, rgb: flatten(data) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadImage(`the ${type === 'image/png' ? 'PNG' : 'JPEG'} cannot be decoded: ${reason}`);
  }
}

/**
 * RGBA to RGB; what is transparent shows white, as most viewers show it.
 * @param {Uint8Array} rgba
 */
function flatten(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = (rgba[from + 3] ?? 255) / 255;
    for (let channel = 0; channel < 3; channel += 1) {
      rgb[to + channel] = Math.round((rgba[from + channel] ?? 0) * alpha + 255 * (1 - alpha));
    }
  }
  return rgb;
}

/** @param {Picture} picture @returns {Buffer} */
export function encodePng({ width, height, rgb }) {
  const png = new PNG({ width, height });
  png.data = Buffer.from(rgb.buffer, rgb.byteOffset, rgb.byteLength);
  return PNG.sync.write(png, { colorType: 2, inputColorType: 2, inputHasAlpha: false, deflateLevel: 6 });
}
