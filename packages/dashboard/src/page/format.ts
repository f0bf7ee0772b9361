/** `4.2 ms`, `380 ms`, `1.24 s`, `2 min 5 s` from microseconds. */
export function formatMicros(us: number | null): string {
  if (us === null) return '–';
  const ms = us / 1000;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  return formatSeconds(Math.round(ms / 1000));
}

/** `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Money from micro-units, with as many digits as a small sum needs. */
export function formatMoney(micro: bigint | number, currency: string): string {
  const value = Number(micro) / 1e6;
  const digits = value !== 0 && Math.abs(value) < 0.01 ? 6 : Math.abs(value) < 1 ? 4 : 2;
  const sign = currency === 'USD' ? '$' : currency === 'EUR' ? '€' : `${currency} `;
  return `${sign}${value.toFixed(digits)}`;
}

/** `14:03:27` in the reader's own zone. */
export function formatClock(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour12: false });
}

/** `1 request`, `3 requests`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
