// Karpenter's and Cluster Autoscaler's arithmetic, restated from their sources, on the same machines and pods as ours.
// Models of one round of planning, not the programs: no zones, no spot, nothing that runs already.

/** What a machine has for pods. */
export function allocatable(type, reserve) {
  return {
    type,
    cpu: type.cpuMilli - reserve.cpuMilli,
    memory: type.memoryBytes * (1 - reserve.memoryShare) - reserve.memoryBytes,
    gpus: type.gpu?.count ?? 0,
    pods: type.maxPods,
  };
}

const needOf = ({ cpuMilli, memoryBytes, gpu }) => ({ cpu: cpuMilli, memory: memoryBytes, gpus: gpu?.count ?? 0 });
const holds = (room, sum) =>
  sum.cpu <= room.cpu && sum.memory <= room.memory && sum.gpus <= room.gpus && sum.pods <= room.pods;
const plus = (sum, need) => ({
  cpu: sum.cpu + need.cpu,
  memory: sum.memory + need.memory,
  gpus: sum.gpus + need.gpus,
  pods: sum.pods + 1,
});

/**
 * Karpenter: pods by CPU, then memory, largest first; each to the claim with the fewest pods that some type still holds, else to
 * a new one; at the end each claim is the cheapest type that holds it.
 */
export function karpenter(pods, offers) {
  const sorted = pods.map(needOf).toSorted((a, b) => b.cpu - a.cpu || b.memory - a.memory);
  const claims = [];
  for (const need of sorted) {
    claims.sort((a, b) => a.sum.pods - b.sum.pods);
    const fits = claims.find((claim) => {
      const sum = plus(claim.sum, need);
      // The largest of each resource rules most claims out before all types are looked at.
      if (!holds(claim.largest, sum)) return false;
      const left = claim.offers.filter((offer) => holds(offer, sum));
      if (left.length === 0) return false;
      Object.assign(claim, { sum, offers: left, largest: largestOf(left) });
      return true;
    });
    if (fits) continue;
    const sum = plus({ cpu: 0, memory: 0, gpus: 0, pods: 0 }, need);
    const left = offers.filter((offer) => holds(offer, sum));
    if (left.length === 0) return null;
    claims.push({ sum, offers: left, largest: largestOf(left) });
  }
  return claims.reduce((cost, claim) => cost + Math.min(...claim.offers.map(({ price }) => price)), 0);
}

function largestOf(offers) {
  const most = (key) => Math.max(...offers.map((offer) => offer[key]));
  return { cpu: most('cpu'), memory: most('memory'), gpus: most('gpus'), pods: most('pods') };
}

/**
 * Cluster Autoscaler, a node group for each type: first fit decreasing by group, the expander chooses one group, and so on until
 * every pod has a node. Penalties of its price expander that depend on the cloud are left out.
 */
export function clusterAutoscaler(pods, offers, expander) {
  let classes = classesOf(pods);
  let cost = 0;
  while (classes.length > 0) {
    const options = offers.flatMap((offer) => estimate(classes, offer) ?? []);
    if (options.length === 0) return null;
    const best = options.reduce((a, b) => (scores[expander](b) < scores[expander](a) ? b : a));
    cost += best.nodes * best.offer.price;
    classes = classes.map((own, c) => ({ ...own, count: own.count - best.placed[c] })).filter(({ count }) => count > 0);
  }
  return cost;
}

/** Smaller is better. */
const scores = {
  'least-waste': ({ wasted }) => wasted,
  price: ({ nodes, offer, ideal }) => (nodes * offer.price) / ideal,
  'most-pods': ({ placed }) => -placed.reduce((sum, count) => sum + count, 0),
};

function classesOf(pods) {
  const byKey = new Map();
  for (const pod of pods) {
    const need = needOf(pod);
    const key = `${need.cpu}|${need.memory}|${need.gpus}`;
    const known = byKey.get(key);
    if (known) known.count++;
    else byKey.set(key, { need, count: 1 });
  }
  return [...byKey.values()];
}

/** First fit decreasing by CPU and memory share; nodes with the same room are kept as one number. */
function estimate(classes, offer) {
  const order = classes
    .map(({ need }, c) => ({ c, size: need.cpu / offer.cpu + need.memory / offer.memory }))
    .toSorted((a, b) => b.size - a.size);
  const placed = classes.map(() => 0);
  let rooms = [];
  const used = { cpu: 0, memory: 0, gpus: 0 };
  for (const { c } of order) {
    const { need, count } = classes[c];
    const most = fitCount(offer, need);
    if (most === 0) continue;
    let left = count;
    const next = [];
    for (const room of rooms) {
      const each = left > 0 ? Math.min(fitCount(room, need), left) : 0;
      if (each === 0) {
        next.push(room);
        continue;
      }
      const full = Math.min(room.times, Math.floor(left / each));
      next.push({ ...without(room, need, each), times: full });
      if (full < room.times) next.push({ ...room, times: room.times - full });
      left -= full * each;
    }
    const full = Math.floor(left / most);
    if (full > 0) next.push({ ...without(offer, need, most), times: full });
    if (left % most > 0) next.push({ ...without(offer, need, left % most), times: 1 });
    rooms = next;
    placed[c] = count;
    used.cpu += count * need.cpu;
    used.memory += count * need.memory;
    used.gpus += count * need.gpus;
  }
  const nodes = rooms.reduce((sum, { times }) => sum + times, 0);
  if (nodes === 0) return null;
  const wasted = 1 - used.cpu / (nodes * offer.cpu) + 1 - used.memory / (nodes * offer.memory);
  // What the pods would cost if every resource were bought at one price: the price expander's yardstick.
  const ideal = used.cpu * 0.033e-3 + (used.memory / 2 ** 30) * 0.0045 + used.gpus * 0.7;
  return { offer, nodes, placed, wasted, ideal };
}

function fitCount(room, need) {
  let fits = room.pods;
  if (need.cpu > 0) fits = Math.min(fits, Math.floor(room.cpu / need.cpu));
  if (need.memory > 0) fits = Math.min(fits, Math.floor(room.memory / need.memory));
  if (need.gpus > 0) fits = Math.min(fits, Math.floor(room.gpus / need.gpus));
  return Math.max(0, fits);
}

function without(room, need, count) {
  return {
    cpu: room.cpu - count * need.cpu,
    memory: room.memory - count * need.memory,
    gpus: room.gpus - count * need.gpus,
    pods: room.pods - count,
  };
}
