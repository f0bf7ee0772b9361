/** How long ago, the way kubectl writes it: `12s`, `5m30s`, `3h`, `2d4h`. */
export function ageText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  return two(Math.floor(days / 365), 'y', days % 365, 'd');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** A length of time with three significant digits: `0.42 ms`, `12 ms`, `1.24 s`, `2 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 0) return '0 ms';
  if (ms < 1) return ms === 0 ? '0 ms' : `${ms.toFixed(2)} ms`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function microsecondsText(us: number): string {
  return durationText(us / 1000);
}

const symbols: Record<string, string> = { USD: '$', EUR: '€', GBP: '£' };

/**
 * Micro-units of a currency as money. Small sums keep up to six decimals, because the cost of a few seconds is what the
 * reader came for; large ones have two.
 */
export function moneyText(micro: bigint | number | string, currency: string): string {
  const value = typeof micro === 'number' ? BigInt(Math.round(micro)) : BigInt(micro);
  const negative = value < 0n;
  const absolute = negative ? -value : value;
  const decimals = absolute === 0n || absolute >= 1_000_000n ? 2 : absolute >= 10_000n ? 4 : 6;
  const unit = 10n ** BigInt(6 - decimals);
  const rounded = (absolute + unit / 2n) / unit;
  const scale = 10n ** BigInt(decimals);
  const fraction = String(rounded % scale)
    .padStart(decimals, '0')
    .replace(/(?<=^\d{2,})0+$/, '');
  const digits = `${rounded / scale}.${fraction}`;
  const symbol = symbols[currency];
  return `${negative ? '-' : ''}${symbol ? symbol + digits : `${digits} ${currency}`}`;
}

/** Share of `whole` that `part` leaves out, in whole percent; null where there is nothing to compare with. */
export function savedPercent(part: bigint, whole: bigint): number | null {
  if (whole <= 0n) return null;
  return Number(((whole - part) * 100n + whole / 2n) / whole);
}

/** `98.2%`; 100% only where none was late. Null without a request. */
export function onTimeText(counts: { requests: number; late: number } | undefined): string | null {
  if (!counts || counts.requests === 0) return null;
  const share = Math.max(0, 1 - counts.late / counts.requests);
  return `${Math.floor(share * 1000) / 10}%`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `1 replica`, `3 replicas`. */
export function countText(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** Local time of day, `14:03:07`. */
export function clockText(atMs: number): string {
  const date = new Date(atMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
