/** Wraps text in a terminal style, or leaves it alone where there is no colour. */
export type Style = (text: string) => string;

export interface Colors {
  bold: Style;
  dim: Style;
  red: Style;
  green: Style;
  yellow: Style;
  blue: Style;
  magenta: Style;
  cyan: Style;
}

function style(open: number, close: number): Style {
  // A nested style that ends with the same code must not end this one: its end is followed by our start again.
  const start = `\u001b[${open}m`;
  const end = `\u001b[${close}m`;
  return (text) => (text === '' ? '' : start + text.replaceAll(end, end + start) + end);
}

const plain: Style = (text) => text;

const none: Colors = {
  bold: plain,
  dim: plain,
  red: plain,
  green: plain,
  yellow: plain,
  blue: plain,
  magenta: plain,
  cyan: plain,
};

const ansi: Colors = {
  bold: style(1, 22),
  dim: style(2, 22),
  red: style(31, 39),
  green: style(32, 39),
  yellow: style(33, 39),
  blue: style(34, 39),
  magenta: style(35, 39),
  cyan: style(36, 39),
};

export function colorsFor(enabled: boolean): Colors {
  return enabled ? ansi : none;
}

/**
 * Whether to colour a stream. NO_COLOR (any value but the empty one) beats FORCE_COLOR (any but `0` and `false`), both
 * beat the question whether it is a terminal (no-color.org, force-color.org).
 */
export function wantsColor(env: Record<string, string | undefined>, isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false;
  const force = env.FORCE_COLOR;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return isTerminal && env.TERM !== 'dumb';
}
