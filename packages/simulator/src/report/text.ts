/** Numbers as the tables of a comparison show them. */

/** `1.04`, `12.3`, `140`: three significant digits. A dash where there is none. */
export function ratioText(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  return threeDigits(value);
}

export function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size < 0.9995) return value === 0 ? '0' : value.toPrecision(3);
  if (size >= 99.95) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 9.995 ? 1 : 2);
}

/** Per cent of a share, never rounded up to a promise that was not kept: `98.9`, `99.97`, `100`. */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent >= 100) return '100';
  const decimals = percent >= 99 ? 2 : 1;
  const factor = 10 ** decimals;
  return (Math.floor(percent * factor + 1e-6) / factor).toFixed(decimals);
}

/** `0`, `12 ms`, `1.24 s`, `2 min 5 s`, `3 h 20 min`. */
export function lengthText(ms: number): string {
  if (ms < 0.5) return '0';
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 99_950) return `${threeDigits(ms / 1000).replace(/\.0+$/, '')} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return withRest(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return withRest(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function withRest(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** `0.0283 h`, `12.3 h`, `1,204 h` */
export function hoursText(seconds: number): string {
  return `${threeDigits(seconds / 3600)} h`;
}

const symbols: Record<string, string> = { USD: '$', EUR: '€', GBP: '£' };

/** Two decimals, four for what is less than a unit; a dash where no price is known. */
export function costText(micro: string | null, currency: string | null): string {
  if (micro === null) return '–';
  const value = BigInt(micro);
  const decimals = value !== 0n && value < 1_000_000n ? 4 : 2;
  const unit = 10n ** BigInt(6 - decimals);
  const rounded = (value + unit / 2n) / unit;
  const scale = 10n ** BigInt(decimals);
  const whole = (rounded / scale).toLocaleString('en');
  const digits = `${whole}.${String(rounded % scale).padStart(decimals, '0')}`;
  const symbol = symbols[currency ?? 'USD'];
  return symbol ? symbol + digits : `${digits} ${currency}`;
}

/** `keda`, `keda and hpa`, `keda, hpa and ebb` */
export function listText(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** A quotient; null where there is nothing to divide by. */
export function quotient(value: number, by: number): number | null {
  return by > 0 ? value / by : null;
}
