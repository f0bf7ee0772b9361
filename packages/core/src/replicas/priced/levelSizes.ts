/** Up to here each replica is a level of its own; further up a level is some replicas more. */
const single = 12;
const growth = 1.15;
const most = 100_000;

const sizes: readonly number[] = makeSizes();

function makeSizes(): number[] {
  const found = [0];
  for (let size = 1; size < most; size = size < single ? size + 1 : Math.ceil(size * growth)) found.push(size);
  found.push(most);
  return found;
}

/** Replicas with the levels 1 to `level` on. */
export function sizeOfLevel(level: number): number {
  return sizes[Math.min(level, sizes.length - 1)] as number;
}

/** The lowest level that has so many replicas. */
export function levelOfSize(replicas: number): number {
  let low = 0;
  let high = sizes.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sizeOfLevel(middle) >= replicas) high = middle;
    else low = middle + 1;
  }
  return low;
}
