const replacement = '\uFFFD';
/** Code points are turned into text in pieces, because a call takes only so many arguments. */
const pieceLength = 8192;

/** Number of bytes that a text has as UTF-8; half a surrogate pair counts as the three of its replacement. */
export function utf8Length(text: string): number {
  let length = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
  }
  return length;
}

/** Bytes as the text they are in UTF-8; what is not UTF-8 becomes U+FFFD, a sign for each broken sequence. */
export function utf8Text(bytes: Uint8Array): string {
  const pieces: string[] = [];
  let piece: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [point, length] = codePointAt(bytes, at);
    piece.push(point);
    at += length;
    if (piece.length < pieceLength) continue;
    pieces.push(String.fromCodePoint(...piece));
    piece = [];
  }
  return pieces.join('') + String.fromCodePoint(...piece);
}

/** The code point at a position and the bytes it takes. */
function codePointAt(bytes: Uint8Array, at: number): [point: number, length: number] {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return [first, 1];
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const broken = replacement.codePointAt(0) ?? 0;
  if (first < 0xc2 || first > 0xf4) return [broken, 1];
  let point = first & (0xff >> (length + 1));
  for (let index = 1; index < length; index += 1) {
    const next = bytes[at + index];
    if (next === undefined || !isContinuation(first, index, next)) return [broken, index];
    point = (point << 6) | (next & 0x3f);
  }
  return [point, length];
}

/** Excludes forms that are longer than needed, surrogates and what is beyond Unicode, as the standard does. */
function isContinuation(first: number, index: number, next: number): boolean {
  if (index === 1 && first === 0xe0) return next >= 0xa0 && next <= 0xbf;
  if (index === 1 && first === 0xed) return next >= 0x80 && next <= 0x9f;
  if (index === 1 && first === 0xf0) return next >= 0x90 && next <= 0xbf;
  if (index === 1 && first === 0xf4) return next >= 0x80 && next <= 0x8f;
  return next >= 0x80 && next <= 0xbf;
}
