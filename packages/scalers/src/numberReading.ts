import type { SourceReading } from './contract/source.ts';

/**
 * A number of the source as a reading, by KEDA's rules: what is negative or not finite counts as 0, while whether it is
 * active is decided by the number itself, strictly above the activation value.
 */
export function numberReading(value: number, activation: number, message?: string): SourceReading {
  const isUsable = Number.isFinite(value) && value >= 0;
  const told = message ?? (isUsable ? undefined : `the source says ${value}: read as 0`);
  return {
    value: isUsable ? value : 0,
    active: value > activation,
    ...(told === undefined ? {} : { message: told }),
  };
}
