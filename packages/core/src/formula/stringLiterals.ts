import { Refusal } from './problem.ts';

const simple: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

const escape =
  /\\(?:u\{([\da-fA-F]{1,6})\}|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-3][0-7]{2})|([abfnrtv\\'"]))/y;

/**
 * The value of a quoted string: expr's escapes (Go's, and \u{…}; of the two quotes only the one around the string).
 * `at` is where the text stands in the formula.
 */
export function unescape(text: string, quote: string, at: number): string {
  const normal = text.replace(/\r\n?/g, '\n');
  if (!normal.includes('\\')) return normal;
  let value = '';
  for (let index = 0; index < normal.length; ) {
    if (normal[index] !== '\\') {
      value += normal[index];
      index += 1;
      continue;
    }
    escape.lastIndex = index;
    const match = escape.exec(normal);
    const allowed = ['\\n', '\\t', '\\\\', '\\"', '\\x41', '\\u0041', '\\u{1F600}', '\\101'];
    const refusal = () =>
      new Refusal('this escape has no meaning', at + index, normal.slice(index, index + 2), allowed);
    if (!match) throw refusal();
    const [whole, braced, two, four, eight, octal, letter] = match;
    if (letter !== undefined) {
      if (/["']/.test(letter) && letter !== quote) throw refusal();
      value += simple[letter];
    } else {
      const code =
        octal === undefined ? Number.parseInt(braced ?? two ?? four ?? eight ?? '', 16) : Number.parseInt(octal, 8);
      if (code > 0x10ffff) throw refusal();
      value += code >= 0xd800 && code <= 0xdfff ? '\ufffd' : String.fromCodePoint(code);
    }
    index += whole.length;
  }
  return value;
}
