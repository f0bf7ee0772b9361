import { SettingFault } from '../contract/parameter.ts';

const highestPartition = 2 ** 31 - 1;

/** Partitions that count, such as `1,2,5-9`. */
export class PartitionLimitation {
  readonly #ranges: readonly (readonly [from: number, to: number])[];
  /** As it was written. */
  readonly text: string;

  /** Throws `SettingFault` for anything but partition numbers and ranges with commas between. */
  constructor(text: string) {
    this.text = text.trim();
    this.#ranges = this.text.split(',').map((part) => {
      const [, from, to = from] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part) ?? [];
      const first = Number(from);
      const last = Number(to);
      // Also false where nothing matched and both are NaN.
      if (!(first <= last && last <= highestPartition)) {
        throw new SettingFault('must be partition numbers and ranges with commas between, such as 1,2,5-9');
      }
      return [first, last];
    });
  }

  has(partition: number): boolean {
    return this.#ranges.some(([from, to]) => partition >= from && partition <= to);
  }
}
