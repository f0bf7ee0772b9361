import type { CapacityType, Offering } from '@ebb/core';

export const capacityTypes: readonly CapacityType[] = ['on-demand', 'spot', 'reserved'];

/**
 * A discount or savings plan as a rational: what an offering costs is multiplied by `numerator / denominator`. It holds
 * for offerings that match every pattern (`*` stands for any text).
 */
export interface PriceFactor {
  cloud: string;
  region: string;
  instance: string;
  capacityType: string;
  numerator: bigint;
  denominator: bigint;
}

const mostDigits = 12;

/**
 * Reads `CLOUD/REGION/INSTANCE/CAPACITY=FACTOR`; parts that are left out on the right are `*`, and the factor is a
 * fraction (`72/100`), a percentage (`72%`) or a decimal (`0.72`) of the price. Throws an Error that says what is wrong.
 */
export function parsePriceFactor(text: string): PriceFactor {
  const at = text.lastIndexOf('=');
  const parts = at < 0 ? [] : text.slice(0, at).split('/');
  if (at < 0 || parts.length > 4 || parts.some((part) => part === '')) {
    throw new Error(
      `"${text}" is no price factor; write CLOUD/REGION/INSTANCE/CAPACITY=FACTOR, such as aws/*/g5.*=72/100`,
    );
  }
  const [cloud = '*', region = '*', instance = '*', capacityType = '*'] = parts;
  if (!/[*]/.test(capacityType) && !capacityTypes.some((one) => one === capacityType)) {
    throw new Error(`"${text}": "${capacityType}" is no capacity type; allowed: ${capacityTypes.join(', ')} or *`);
  }
  return { cloud, region, instance, capacityType, ...parseRational(text.slice(at + 1).trim(), text) };
}

function parseRational(text: string, whole: string): Pick<PriceFactor, 'numerator' | 'denominator'> {
  const fraction = /^(\d+)\/(\d+)$/.exec(text);
  const decimal = /^(\d+)(?:\.(\d+))?(%?)$/.exec(text);
  const digits = text.replace(/\D/g, '').length;
  if ((!fraction && !decimal) || digits > mostDigits) {
    throw new Error(`"${whole}": "${text}" is no factor; write 72/100, 72% or 0.72, of at most ${mostDigits} digits`);
  }
  const [, left = '0', right = ''] = fraction ?? decimal ?? [];
  const numerator = fraction ? BigInt(left) : BigInt(left + right);
  const denominator = fraction ? BigInt(right) : 10n ** BigInt(right.length + (decimal?.[3] === '%' ? 2 : 0));
  if (denominator === 0n) throw new Error(`"${whole}": the factor divides by 0`);
  return { numerator, denominator };
}

/**
 * Prices with every factor that matches, multiplied exactly and rounded once to whole micro-units, half up. Offerings
 * that no factor matches are the same objects.
 */
export function applyPriceFactors(offerings: readonly Offering[], factors: readonly PriceFactor[]): Offering[] {
  const matchers = factors.map((factor) => ({ factor, matches: matcherOf(factor) }));
  return offerings.map((offering) => {
    let numerator = BigInt(offering.pricePerHourMicro);
    let denominator = 1n;
    let touched = false;
    for (const { factor, matches } of matchers) {
      if (!matches(offering)) continue;
      touched = true;
      numerator *= factor.numerator;
      denominator *= factor.denominator;
    }
    if (!touched) return offering;
    return { ...offering, pricePerHourMicro: Number((2n * numerator + denominator) / (2n * denominator)) };
  });
}

function matcherOf({ cloud, region, instance, capacityType }: PriceFactor): (offering: Offering) => boolean {
  const [clouds, regions, instances, capacities] = [cloud, region, instance, capacityType].map(glob);
  return (offering) =>
    clouds?.test(offering.instanceType.cloud) === true &&
    regions?.test(offering.region) === true &&
    instances?.test(offering.instanceType.name) === true &&
    capacities?.test(offering.capacityType) === true;
}

/** `*` stands for any text, all else for itself; case does not count. */
export function glob(pattern: string): RegExp {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, 'i');
}
