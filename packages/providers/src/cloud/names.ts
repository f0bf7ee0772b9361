import { createHash } from 'node:crypto';

/** What both Google Cloud and Azure take as a machine's name and as a label. */
const longest = 63;

/** A machine's name for the engine's id: the id itself where it can be one, else its letters and a hash; one for each id. */
export function machineName(id: string): string {
  return /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(id) ? id : hashed(`n-${id}`, id);
}

/** A label's value for a name or a key: itself where it can be one. What it exactly was is kept elsewhere on the machine. */
export function labelValue(text: string): string {
  return /^[-_a-z0-9]{0,63}$/.test(text) ? text : hashed(text, text);
}

function hashed(shown: string, text: string): string {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 10);
  const letters = shown
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, longest - hash.length - 1);
  return `${letters.replace(/-+$/, '')}-${hash}`;
}

/** The same UUID for the same text: what is asked twice under it happens once. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}
