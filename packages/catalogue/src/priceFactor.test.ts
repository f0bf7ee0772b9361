import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCatalogue } from './parseCatalogue.ts';
import { applyPriceFactors, glob, parsePriceFactor } from './priceFactor.ts';

const offerings = parseCatalogue(
  `cloud,region,instance,vcpu,memory_gib,on_demand_usd_h,spot_usd_h
aws,us-east-1,g5.xlarge,4,16,1.006,0.45
aws,us-east-1,c5.large,2,4,0.085,
gcp,us-east1,g2-standard-4,4,16,0.707,
`,
  'p.csv',
);
const pricesWith = (...factors: string[]) =>
  applyPriceFactors(offerings, factors.map(parsePriceFactor)).map(({ pricePerHourMicro }) => pricePerHourMicro);

test('a factor holds for what its patterns match; several multiply', () => {
  expect(pricesWith()).toEqual([1_006_000, 450_000, 85_000, 707_000]);
  expect(pricesWith('aws=72%')).toEqual([724_320, 324_000, 61_200, 707_000]);
  expect(pricesWith('aws/*/G5.*/on-demand=2/3')).toEqual([670_667, 450_000, 85_000, 707_000]);
  expect(pricesWith('aws/*/*/on-demand=0.5', '*/us-east-1=1/3')).toEqual([167_667, 150_000, 14_167, 707_000]);
});

test('rounding happens once, at the end, half up', () => {
  fc.assert(
    fc.property(
      fc.nat(2_000_000_000),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 999 })), {
        minLength: 1,
        maxLength: 4,
      }),
      (price, parts) => {
        const [first] = offerings;
        if (!first) throw new Error('no offering');
        const factors = parts.map(([top, bottom]) => parsePriceFactor(`*=${top}/${bottom}`));
        const [priced] = applyPriceFactors([{ ...first, pricePerHourMicro: price }], factors);
        // Beyond this a price is no exact number any more.
        fc.pre((priced?.pricePerHourMicro ?? 0) < Number.MAX_SAFE_INTEGER);
        const top = parts.reduce((product, [one]) => product * BigInt(one), BigInt(price));
        const bottom = parts.reduce((product, [, one]) => product * BigInt(one), 1n);
        const twiceOff = 2n * top - 2n * BigInt(priced?.pricePerHourMicro ?? -1) * bottom;
        expect(twiceOff >= -bottom && twiceOff < bottom).toBe(true);
      },
    ),
  );
});

test('decimals, percentages and fractions are the same rational', () => {
  for (const text of ['72/100', '72%', '0.72', '72.0%']) {
    const { numerator, denominator } = parsePriceFactor(`aws=${text}`);
    expect(numerator * 100n).toBe(72n * denominator);
  }
});

test.each([
  ['aws', '"aws" is no price factor; write CLOUD/REGION/INSTANCE/CAPACITY=FACTOR'],
  ['a/b/c/spot/e=1', 'is no price factor'],
  ['aws/*/*/spt=1', '"spt" is no capacity type; allowed: on-demand, spot, reserved or *'],
  ['aws=-1', '"-1" is no factor'],
  ['aws=1/0', 'the factor divides by 0'],
  ['aws=1e3', '"1e3" is no factor'],
])('%s is refused', (text, message) => {
  expect(() => parsePriceFactor(text)).toThrow(message);
});

test('a star stands for any text and a point for itself', () => {
  expect(glob('g5.*').test('g5.xlarge')).toBe(true);
  expect(glob('g5.*').test('g5gxlarge')).toBe(false);
  expect(glob('c5').test('c5.large')).toBe(false);
});
