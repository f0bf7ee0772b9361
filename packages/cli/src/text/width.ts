// oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
const escapeSequence = /\u001b\[[0-9;?]*[A-Za-z]/g;
const escapeOrText = new RegExp(`(${escapeSequence.source})`);
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

export function stripStyles(text: string): string {
  return text.replace(escapeSequence, '');
}

function graphemeWidth(grapheme: string): number {
  return wide.test(grapheme) ? 2 : 1;
}

/** Columns that the text takes in a terminal; styles take none. */
export function textWidth(text: string): number {
  const bare = stripStyles(text);
  if (/^[\u0020-\u007e]*$/.test(bare)) return bare.length;
  let width = 0;
  for (const { segment } of segmenter.segment(bare)) width += graphemeWidth(segment);
  return width;
}

/** Control characters from a log line or a message of another program must not move our cursor. */
export function withoutControls(text: string): string {
  return (
    text
      .replace(escapeSequence, '')
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
  );
}

/** Cuts to at most `width` columns, ending in `cut` where something was cut; styles that were open are closed. */
export function truncate(text: string, width: number, cut = '…'): string {
  if (textWidth(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let used = 0;
  let styled = false;
  for (const part of text.split(escapeOrText)) {
    if (part.startsWith('\u001b[')) {
      styled = true;
      kept += part;
      continue;
    }
    for (const { segment } of segmenter.segment(part)) {
      const next = graphemeWidth(segment);
      if (used + next > width - 1) return `${kept}${cut}${styled ? '\u001b[0m' : ''}`;
      kept += segment;
      used += next;
    }
  }
  return kept;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - textWidth(text))) + text;
}

/** Breaks at spaces into lines of at most `width` columns and at most `maxLines` lines; the rest ends in `cut`. */
export function wrap(text: string, width: number, maxLines = Number.POSITIVE_INFINITY, cut = '…'): string[] {
  const lines: string[] = [];
  let line = '';
  const words = text.split(/ +/);
  for (const [index, word] of words.entries()) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (textWidth(joined) <= width || line === '') {
      line = joined;
      continue;
    }
    if (lines.length + 1 >= maxLines) {
      lines.push(truncate(`${line} ${words.slice(index).join(' ')}`, width, cut));
      return lines;
    }
    lines.push(truncate(line, width, cut));
    line = word;
  }
  lines.push(truncate(line, width, cut));
  return lines;
}
