/** One gateway's part in the demand for a class. */
export interface GatewayDemand {
  readonly name: string;
  /** Requests that it holds for the class. */
  readonly held: number;
  /** When the oldest of them began to wait, on one clock for all; null: none waits. */
  readonly oldestHeldUs: number | null;
  /** It ends what it has and gets no new requests: it is to have no more slots than it needs. */
  readonly isLeaving: boolean;
}

/** One replica of the class. Lists have a number for each gateway, in their order. */
export interface ReplicaSlots {
  readonly id: string;
  /** Slots that may be given out: its concurrency, less what gateways that cannot be reached may still use. */
  readonly capacity: number;
  readonly inFlight: readonly number[];
  /** What each gateway has now. */
  readonly current: readonly number[];
}

/**
 * Who gets how many slots of each replica: a row for each replica, a number for each gateway. Rows sum to the replica's
 * capacity, so a replica never gets more than it can do at once, however many gateways there are. Each gateway gets what it
 * needs where there is enough for all, the largest equal share where there is not (whoever holds the oldest request has the odd
 * slot), and the rest evenly. What already is where it should be stays there. The same answer for the same question.
 */
export function splitSlots(replicas: readonly ReplicaSlots[], gateways: readonly GatewayDemand[]): number[][] {
  if (gateways.length === 0) return replicas.map(() => []);
  const total = replicas.reduce((sum, { capacity }) => sum + capacity, 0);
  const quotas = quotasOf(total, gateways, demandOf(replicas, gateways));
  const rows = replicas.map(({ capacity, inFlight, current }) => {
    const row = gateways.map(() => 0);
    let left = take(row, quotas, inFlight, capacity);
    left = take(row, quotas, current, left);
    return { row, left };
  });
  for (const one of rows) fill(one.row, quotas, one.left);
  return rows.map(({ row }) => row);
}

/**
 * Whether slots should move: some are not given out, or a gateway holds requests that slots of another one could take, or it has
 * less than its share while all are busy.
 */
export function isFair(replicas: readonly ReplicaSlots[], gateways: readonly GatewayDemand[]): boolean {
  for (const { capacity, current } of replicas) if (sum(current) !== capacity) return false;
  if (gateways.every(({ held, isLeaving }) => held === 0 && !isLeaving)) return true;
  const has = gateways.map((_, index) => replicas.reduce((all, { current }) => all + (current[index] ?? 0), 0));
  const demand = demandOf(replicas, gateways);
  const stays = gateways.some(({ isLeaving }) => !isLeaving);
  if (stays && gateways.some(({ isLeaving }, index) => isLeaving && at(has, index) > at(demand, index))) return false;
  const quotas = quotasOf(sum(has), gateways, demand);
  return gateways.every((_, index) => at(has, index) >= Math.min(at(quotas, index), at(demand, index)));
}

function demandOf(replicas: readonly ReplicaSlots[], gateways: readonly GatewayDemand[]): number[] {
  return gateways.map(({ held }, index) => replicas.reduce((all, { inFlight }) => all + (inFlight[index] ?? 0), held));
}

/** How many slots each gateway is to have, over all replicas: they sum to `total`. */
function quotasOf(total: number, gateways: readonly GatewayDemand[], demand: readonly number[]): number[] {
  const order = gateways
    .map((_, index) => index)
    .sort((left, right) => waitsSince(gateways, left) - waitsSince(gateways, right) || left - right);
  const quotas = gateways.map(() => 0);
  let left = total;
  let hungry = order.filter((index) => at(demand, index) > 0);
  // What nobody needs in full is shared among those who need more.
  while (left > 0 && hungry.length > 0) {
    const equal = Math.floor(left / hungry.length);
    const content = hungry.filter((index) => at(demand, index) - at(quotas, index) <= equal);
    const served = content.length > 0 ? content : hungry;
    for (const [rank, index] of served.entries()) {
      const odd = content.length === 0 && rank < left % hungry.length ? 1 : 0;
      const given = content.length > 0 ? at(demand, index) - at(quotas, index) : equal + odd;
      quotas[index] = at(quotas, index) + given;
    }
    left = total - sum(quotas);
    hungry = content.length > 0 ? hungry.filter((index) => !content.includes(index)) : [];
  }
  const staying = order.filter((index) => gateways[index]?.isLeaving === false);
  const rest = staying.length > 0 ? staying : order;
  for (const [rank, index] of rest.entries()) {
    quotas[index] = at(quotas, index) + Math.floor(left / rest.length) + (rank < left % rest.length ? 1 : 0);
  }
  return quotas;
}

function waitsSince(gateways: readonly GatewayDemand[], index: number): number {
  return gateways[index]?.oldestHeldUs ?? Number.MAX_SAFE_INTEGER;
}

/** Gives each gateway up to what is wished, within its quota and what is left; returns what is left then. */
function take(row: number[], quotas: number[], wished: readonly number[], left: number): number {
  let rest = left;
  for (const [index, before] of row.entries()) {
    const given = Math.max(0, Math.min(at(wished, index) - before, at(quotas, index), rest));
    row[index] = before + given;
    quotas[index] = at(quotas, index) - given;
    rest -= given;
  }
  return rest;
}

/** Gives out what is left of a replica, in proportion to what each gateway is still to get, so that all have some of each. */
function fill(row: number[], quotas: number[], left: number): void {
  const open = sum(quotas);
  if (left === 0 || open === 0) return;
  const exact = quotas.map((quota) => (left * quota) / open);
  const given = exact.map(Math.floor);
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .sort((one, other) => other.remainder - one.remainder || one.index - other.index);
  for (const { index } of byRemainder.slice(0, left - sum(given))) given[index] = at(given, index) + 1;
  for (const [index, more] of given.entries()) {
    row[index] = at(row, index) + more;
    quotas[index] = at(quotas, index) - more;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((all, one) => all + one, 0);
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}
