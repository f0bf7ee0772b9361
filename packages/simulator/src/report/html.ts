/** Markup that is known to be safe: only what this module made. */
export interface Markup {
  readonly markup: string;
}

type Value = Markup | string | number | null | readonly Markup[];

/** A template whose values are escaped unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Markup {
  let markup = strings[0] ?? '';
  for (const [index, value] of values.entries()) markup += textOf(value) + (strings[index + 1] ?? '');
  return { markup };
}

/** Text of our own: styles, path data. */
export function raw(markup: string): Markup {
  return { markup };
}

export function join(parts: readonly Markup[], between = ''): Markup {
  return { markup: parts.map(({ markup }) => markup).join(between) };
}

function textOf(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'string') return escape(value);
  if (typeof value === 'number') return String(value);
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escape(text: string): string {
  // oxlint-disable-next-line no-control-regex -- no control character is allowed in a page
  return text.replace(/[&<>"']/g, (found) => entities[found] ?? '').replace(/[\u0000-\u0008\u000b-\u001f]/g, '');
}
