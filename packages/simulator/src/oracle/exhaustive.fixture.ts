/** A small case in whole seconds. */
export interface SmallCase {
  requests: readonly { at: number; service: number }[];
  slots: number;
  coldStart: number;
  onTime: number;
  mostLate: number;
}

/**
 * The true optimum, by trying all: which requests are left out, when each other one begins, and which of them share a replica.
 * With whole times some best schedule begins everything at whole times (difference constraints). A replica
 * that has nothing to do is kept or stopped and started again, whichever is less.
 */
export function exhaustiveOptimum({ requests, slots, coldStart, onTime, mostLate }: SmallCase): number {
  let best = Number.POSITIVE_INFINITY;
  const chosen: { from: number; to: number }[] = [];
  const chooseStarts = (index: number, late: number): void => {
    const request = requests[index];
    if (!request) {
      best = Math.min(best, cheapestGrouping(chosen, slots, coldStart));
      return;
    }
    if (late < mostLate) chooseStarts(index + 1, late + 1);
    for (let wait = 0; wait <= onTime; wait++) {
      chosen.push({ from: request.at + wait, to: request.at + wait + request.service });
      chooseStarts(index + 1, late);
      chosen.pop();
    }
  };
  chooseStarts(0, 0);
  return best;
}

interface Service {
  from: number;
  to: number;
}

function cheapestGrouping(services: readonly Service[], slots: number, coldStart: number): number {
  let best = Number.POSITIVE_INFINITY;
  const groups: Service[][] = [];
  const put = (index: number): void => {
    const service = services[index];
    if (!service) {
      best = Math.min(
        best,
        groups.reduce((sum, group) => sum + costOf(group, coldStart), 0),
      );
      return;
    }
    for (const group of groups) {
      group.push(service);
      if (fits(group, slots)) put(index + 1);
      group.pop();
    }
    groups.push([service]);
    put(index + 1);
    groups.pop();
  };
  put(0);
  return best;
}

function fits(group: readonly Service[], slots: number): boolean {
  return group.every(({ from }) => group.filter((one) => one.from <= from && from < one.to).length <= slots);
}

function costOf(group: readonly Service[], coldStart: number): number {
  let cost = coldStart;
  let end = Number.NaN;
  for (const { from, to } of group.toSorted((a, b) => a.from - b.from)) {
    if (Number.isNaN(end)) cost += to - from;
    else cost += Math.min(coldStart, Math.max(0, from - end)) + Math.max(0, to - Math.max(end, from));
    end = Number.isNaN(end) ? to : Math.max(end, to);
  }
  return cost;
}

/** Least of cost + price × late requests. */
export function exhaustivePriced(one: SmallCase, latePrice: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let mask = 0; mask < 1 << one.requests.length; mask++) {
    const requests = one.requests.filter((_, index) => (mask & (1 << index)) !== 0);
    const late = one.requests.length - requests.length;
    const cost = requests.length === 0 ? 0 : exhaustiveOptimum({ ...one, requests, mostLate: 0 });
    best = Math.min(best, cost + latePrice * late);
  }
  return best;
}
