/** Signs of the live view; the second set is for terminals and locales without Unicode. */
export interface Glyphs {
  /** From empty to full. */
  levels: readonly string[];
  dot: string;
  hollow: string;
  arrow: string;
  separator: string;
  check: string;
  cross: string;
  ellipsis: string;
  /** One column: text was cut here. */
  cut: string;
}

const unicode: Glyphs = {
  levels: ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  dot: '●',
  hollow: '○',
  arrow: '→',
  separator: '·',
  check: '✓',
  cross: '✗',
  ellipsis: '…',
  cut: '…',
};

const ascii: Glyphs = {
  levels: ['.', '_', '_', '-', '-', '=', '=', '#', '#'],
  dot: '*',
  hollow: 'o',
  arrow: '->',
  separator: '|',
  check: 'ok',
  cross: 'x',
  ellipsis: '...',
  cut: '~',
};

/** Unicode unless the terminal or a locale that is set says otherwise (a container often sets none and can do it). */
export function glyphsFor(env: Record<string, string | undefined>): Glyphs {
  if (env.TERM === 'dumb' || env.TERM === 'linux') return ascii;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return locale === '' || /utf-?8/i.test(locale) ? unicode : ascii;
}
