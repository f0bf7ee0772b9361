/**
 * What NVIDIA's Multi-Instance GPU allows, card by card. A card has memory slices in a row; an instance takes neighbouring
 * ones from one of its legal start slices on, and a number of compute slices that do not lie anywhere. Sources: NVIDIA's
 * MIG user guide (supported profiles and placements) and the profile tables of github.com/NVIDIA/mig-parted.
 */

/** One way to cut an instance out of a card. */
export interface MigProfile {
  /** `1g.10gb`, `1g.10gb+me`. */
  name: string;
  computeSlices: number;
  memorySlices: number;
  /** Most of them on one card. */
  maxPerCard: number;
  /** First memory slices that it may begin at. */
  starts: readonly number[];
  memoryBytes: number;
  /** Carries the card's media engines, of which there is one set. */
  hasMediaEngines: boolean;
  /** One compute slice with the memory of two. */
  isDoubleMemory: boolean;
}

/** A model of GPU that can be cut. */
export interface MigCard {
  /** `A100-80GB`. */
  name: string;
  memoryBytes: number;
  computeSlices: number;
  memorySlices: number;
  profiles: readonly MigProfile[];
}

const mebibyte = 1024 * 1024;

/** Name, memory, and the memory of 1g, double-memory 1g, 2g, 3g, 4g and 7g as `name:MiB`. */
const sevenSliced: readonly [name: string, memoryMiB: number, sizes: readonly [string, number][]][] = [
  ['A100-40GB', 40_960, sizes('5gb:4864 10gb:9856 10gb:9856 20gb:19968 20gb:19968 40gb:40192')],
  ['A100-80GB', 81_920, sizes('10gb:9856 20gb:19968 20gb:19968 40gb:40192 40gb:40192 80gb:80384')],
  ['H100-80GB', 81_920, sizes('10gb:10240 20gb:20480 20gb:20480 40gb:40960 40gb:40960 80gb:81920')],
  ['H200-141GB', 144_384, sizes('18gb:18432 35gb:35840 35gb:35840 71gb:72704 71gb:72704 141gb:144384')],
  ['B200-180GB', 184_320, sizes('23gb:23552 45gb:46080 45gb:46080 90gb:92160 90gb:92160 180gb:184320')],
];

/** Compute slices, memory slices, most per card, legal starts; in the order of the sizes above. */
const shapes: readonly [compute: number, memory: number, max: number, starts: readonly number[]][] = [
  [1, 1, 7, [0, 1, 2, 3, 4, 5, 6]],
  [1, 2, 4, [0, 2, 4, 6]],
  [2, 2, 3, [0, 2, 4]],
  [3, 4, 2, [0, 4]],
  [4, 4, 1, [0]],
  [7, 8, 1, [0]],
];

/** Every card whose profiles are known, smallest first. */
export const migCards: readonly MigCard[] = [
  {
    name: 'A30-24GB',
    memoryBytes: 24_576 * mebibyte,
    computeSlices: 4,
    memorySlices: 4,
    profiles: [
      profile('1g.6gb', 1, 1, 4, [0, 1, 2, 3], 6144),
      profile('1g.6gb+me', 1, 1, 1, [0, 1, 2, 3], 6144),
      profile('2g.12gb', 2, 2, 2, [0, 2], 12_288),
      profile('2g.12gb+me', 2, 2, 1, [0, 2], 12_288),
      profile('4g.24gb', 4, 4, 1, [0], 24_576),
    ],
  },
  ...sevenSliced.map(
    ([name, memoryMiB, memories]): MigCard => ({
      name,
      memoryBytes: memoryMiB * mebibyte,
      computeSlices: 7,
      memorySlices: 8,
      profiles: shapes.flatMap(([compute, memory, max, starts], index) => {
        const [size = '', memoryOfOneMiB = 0] = memories[index] ?? [];
        const plain = profile(`${compute}g.${size}`, compute, memory, max, starts, memoryOfOneMiB);
        return index > 0 ? [plain] : [plain, profile(`${plain.name}+me`, compute, memory, 1, starts, memoryOfOneMiB)];
      }),
    }),
  ),
];

/** Marketing names differ by maker (`NVIDIA A100-SXM4-80GB`, `A100`, `H100 80GB HBM3`): the chip and the memory tell. */
const nearEnough = 0.03;

/**
 * The card of a GPU, by the chip in its name and by its memory, which drivers report up to 3 % smaller than it is sold.
 * Null: it cannot be cut, or its profiles are not known here (an H100 with 94 GB).
 */
export function migCardOf(gpu: { model: string; memoryBytes: number }): MigCard | null {
  const words = gpu.model.toUpperCase().split(/[^A-Z0-9]+/);
  const fits = ({ name, memoryBytes }: MigCard) =>
    words.includes(name.split('-')[0] ?? name) && Math.abs(gpu.memoryBytes / memoryBytes - 1) <= nearEnough;
  return migCards.find(fits) ?? null;
}

/** The profile of that name, or null. */
export function migProfile(card: MigCard, name: string): MigProfile | null {
  return card.profiles.find((one) => one.name === name) ?? null;
}

/** What an instance counts for in `gpuMilli`: its part of the compute slices, rounded down so that seven are no more than one GPU. */
export function migGpuMilli(computeSlices: number, cardSlices = 7): number {
  return Math.floor((computeSlices * 1000) / cardSlices);
}

function profile(
  name: string,
  computeSlices: number,
  memorySlices: number,
  maxPerCard: number,
  starts: readonly number[],
  memoryMiB: number,
): MigProfile {
  const hasMediaEngines = name.endsWith('+me');
  const isDoubleMemory = computeSlices === 1 && memorySlices === 2;
  const memoryBytes = memoryMiB * mebibyte;
  return { name, computeSlices, memorySlices, maxPerCard, starts, memoryBytes, hasMediaEngines, isDoubleMemory };
}

function sizes(text: string): [string, number][] {
  return text.split(' ').map((one) => {
    const [size = '', memoryMiB = ''] = one.split(':');
    return [size, Number(memoryMiB)];
  });
}
