const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const values = new Map([...alphabet].map((letter, value) => [letter.charCodeAt(0), value]));

/**
 * The bytes of a text in standard base64 with padding, or null where it is none. Line ends within are left out, as Go's
 * decoder does, which is what Kubernetes reads `data` with.
 */
export function base64Bytes(text: string): Uint8Array | null {
  const compact = text.replaceAll(/[\r\n]/g, '');
  if (compact.length % 4 !== 0) return null;
  const padding = compact.endsWith('==') ? 2 : compact.endsWith('=') ? 1 : 0;
  const letters = compact.length - padding;
  const bytes = new Uint8Array((compact.length / 4) * 3 - padding);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let index = 0; index < letters; index += 1) {
    const value = values.get(compact.charCodeAt(index));
    if (value === undefined) return null;
    bits = ((bits << 6) | value) & 0xff_ff_ff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at] = (bits >> held) & 0xff;
    at += 1;
  }
  return bytes;
}
