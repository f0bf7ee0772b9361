import type { TraceOptions } from './options.ts';

/** Numbers for the workloads that a file names, after renaming. `''` is the only workload of a file without names. */
export class WorkloadNames {
  readonly #rename: Readonly<Record<string, string>>;
  readonly #onlyName: string;
  readonly #byFileName = new Map<string, number>();
  readonly #byName = new Map<string, number>();
  readonly names: string[] = [];

  constructor(rename: TraceOptions['rename'], onlyName: string) {
    this.#rename = rename ?? {};
    this.#onlyName = onlyName;
  }

  indexOf(fileName: string): number {
    const known = this.#byFileName.get(fileName);
    if (known !== undefined) return known;
    const plain = fileName === '' ? this.#onlyName : fileName;
    const name = Object.hasOwn(this.#rename, plain) ? (this.#rename[plain] ?? plain) : plain;
    let index = this.#byName.get(name);
    if (index === undefined) {
      index = this.names.length;
      this.names.push(name);
      this.#byName.set(name, index);
    }
    this.#byFileName.set(fileName, index);
    return index;
  }
}

export interface ChosenWorkloads {
  names: string[];
  /** From the number in the file to the one in `names`; -1: left out. */
  numbers: Int32Array;
  areAll: boolean;
}

/** Those within the limits, in the order of their names. */
export function chooseWorkloads(
  names: readonly string[],
  requests: readonly number[],
  {
    leastRequests = 0,
    mostRequests = Number.POSITIVE_INFINITY,
    first = Number.POSITIVE_INFINITY,
  }: NonNullable<TraceOptions['workloads']>,
): ChosenWorkloads {
  const chosen = names
    .map((name, index) => ({ name, index, count: requests[index] ?? 0 }))
    .filter(({ count }) => count >= leastRequests && count <= mostRequests)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, first);
  const numbers = new Int32Array(names.length).fill(-1);
  for (const [number, { index }] of chosen.entries()) numbers[index] = number;
  return {
    names: chosen.map(({ name }) => name),
    numbers,
    areAll: chosen.length === names.length && chosen.every(({ index }, number) => index === number),
  };
}
