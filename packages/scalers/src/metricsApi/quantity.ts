const scales: Record<string, number> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** A Kubernetes quantity such as `500m`, `1k` or `2Gi` as a number; null for any other text. */
export function quantityOf(text: string): number | null {
  const [, number, suffix = ''] = /^([+-]?(?:\d+\.?\d*|\.\d+))([A-Za-z]{0,2}|[eE][+-]?\d+)$/.exec(text) ?? [];
  if (number === undefined) return null;
  if (/^[eE][+-]?\d+$/.test(suffix)) return finite(Number(number + suffix));
  if (!Object.hasOwn(scales, suffix)) return null;
  const scale = scales[suffix] ?? 1;
  // Thousandths as a division: 3 * 0.001 is not 0.003.
  return finite(scale < 1 ? Number(number) / Math.round(1 / scale) : Number(number) * scale);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
