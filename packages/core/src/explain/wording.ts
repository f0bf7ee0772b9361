/** `1 replica`, `3 replicas`. */
export const count = (value: unknown, noun = 'replica'): string => `${value} ${noun}${value === 1 ? '' : 's'}`;

/** Milliseconds as a person says them: `250 ms`, `30 s`, `5 min`. */
export const seconds = (ms: unknown): string => {
  const value = Number(ms) / 1000;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 120) return `${Math.round(value * 10) / 10} s`;
  return `${Math.round(value / 6) / 10} min`;
};

/** At most three decimals: a mean is computed with more than anybody reads. */
export const shortNumber = (value: unknown): string => `${Math.round(Number(value) * 1000) / 1000}`;
