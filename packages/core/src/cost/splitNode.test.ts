import fc from 'fast-check';
import { expect, it } from 'vitest';
import { apportion } from './rational.ts';
import { splitNode } from './splitNode.ts';

const node = {
  node: 'n',
  pool: 'p',
  instanceType: 't',
  capacityType: 'on-demand' as const,
  fromMs: 0,
  toMs: 1000,
  pricePerHourMicro: 1000,
  currency: 'USD',
  allocatable: { cpuMilli: 4000, memoryBytes: 8000, gpuMilli: 1000 },
};
const amounts = (cpuMilli: number, memoryBytes = 0, gpuMilli = 0) => ({ cpuMilli, memoryBytes, gpuMilli });
const tenant = (
  id: string,
  asked: ReturnType<typeof amounts>,
  used = asked,
  fromMs = 0,
  toMs: number | null = null,
) => ({
  id,
  fromMs,
  toMs,
  asked,
  used,
});

it('a share is the largest of processors, memory and GPUs; the rest is idle', () => {
  const split = splitNode(
    node,
    [tenant('a', amounts(1000, 4000), amounts(400)), tenant('b', amounts(0, 0, 250))],
    0,
    1000,
  );
  expect(split.tenants.get('a')).toEqual({ askedPriceMs: 500_000n, usedPriceMs: 100_000n });
  expect(split.tenants.get('b')).toEqual({ askedPriceMs: 250_000n, usedPriceMs: 250_000n });
  expect([split.idleAskedPriceMs, split.idleUsedPriceMs]).toEqual([250_000n, 650_000n]);
});

it('shares of more than the node are scaled to it, moment by moment', () => {
  const split = splitNode(
    node,
    [tenant('a', amounts(4000)), tenant('b', amounts(0, 8000), amounts(0, 8000), 500, 800)],
    0,
    1000,
  );
  expect(split.tenants.get('a')?.askedPriceMs).toBe(850_000n);
  expect(split.tenants.get('b')?.askedPriceMs).toBe(150_000n);
  expect(split.idleAskedPriceMs).toBe(0n);
});

it('what was not measured counts with what it asked for', () => {
  const split = splitNode(node, [{ ...tenant('a', amounts(1000)), used: null }], 0, 1000);
  expect(split.tenants.get('a')).toEqual({ askedPriceMs: 250_000n, usedPriceMs: 250_000n });
});

it('parts and idle add up to the node, in both ways', () => {
  const some = fc.record({
    cpu: fc.nat(9000),
    memory: fc.nat(9000),
    gpu: fc.nat(2000),
    from: fc.nat(1200),
    length: fc.nat(1200),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 8 }), fc.nat(900), (made, fromMs) => {
      const tenants = made.map(({ cpu, memory, gpu, from, length }, index) =>
        tenant(`t${index}`, amounts(cpu, memory, gpu), amounts(cpu / 2, memory, gpu), from, from + length),
      );
      const split = splitNode(node, tenants, fromMs, 5000);
      const parts = [...split.tenants.values()];
      expect(split.priceMs).toBe(1000n * BigInt(1000 - fromMs));
      expect(parts.reduce((sum, part) => sum + part.askedPriceMs, split.idleAskedPriceMs)).toBe(split.priceMs);
      expect(parts.reduce((sum, part) => sum + part.usedPriceMs, split.idleUsedPriceMs)).toBe(split.priceMs);
      expect(split.idleAskedPriceMs >= 0n && split.idleUsedPriceMs >= 0n).toBe(true);
    }),
  );
});

it('apportion gives whole parts that add up, none off by one or more', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 12n }),
      fc.array(fc.bigInt({ min: 0n, max: 10n ** 15n }), { minLength: 1 }),
      (total, weights) => {
        const whole = weights.reduce((sum, one) => sum + one, 0n);
        const parts = apportion(total, weights);
        expect(parts.reduce((sum, one) => sum + one, 0n)).toBe(whole === 0n ? 0n : total);
        for (const [index, part] of parts.entries()) {
          const off = part * whole - total * (weights[index] ?? 0n);
          if (whole > 0n) expect(off > -whole && off < whole).toBe(true);
        }
      },
    ),
  );
});
