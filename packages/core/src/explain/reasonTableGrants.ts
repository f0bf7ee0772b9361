import type { Reason } from './reasons.ts';
import type { ReasonEntry } from './reasonTable.ts';
import { count, shortNumber } from './wording.ts';

type Data = Reason['data'];

/** Reasons of sharing what is scarce between workloads (allocate). */
export const grantReasons: Record<string, ReasonEntry> = {
  'grant-capacity': {
    stage: 'grant',
    weight: 15,
    when: 'a limit of the cluster has no room for what was decided',
    sentence: (d) => shortfall(d, `the limit of ${amount(d.resource, d.limit)}`),
  },
  'grant-quota': {
    stage: 'grant',
    weight: 15,
    when: 'a quota has no room for what was decided',
    sentence: (d) => shortfall(d, `the limit of ${amount(d.resource, d.limit)} of quota "${d.name}"`),
  },
  'grant-job-cap': {
    stage: 'grant',
    weight: 15,
    when: 'jobs share a cap, and the others run or are next',
    sentence: (d) => shortfall(d, `the cap of ${count(d.limit, 'job')} shared as "${d.name}"`),
  },
  'grant-budget': {
    stage: 'grant',
    weight: 16,
    when: 'the budget is spent, or would be by the end of its window if more were started',
    sentence: (d) =>
      `${count(d.wanted)} wanted, ${d.granted} granted: ${budget(d)}. What runs stays; a larger budget or fewer replicas elsewhere would let more start.`,
  },
  'grant-budget-warning': {
    stage: 'grant',
    weight: 3,
    when: 'the budget only warns, and is spent or will be by the end of its window',
    sentence: (d) => `Over budget: ${budget(d)}.`,
  },
  'grant-dependency': {
    stage: 'grant',
    weight: 16,
    when: 'a workload it depends on has no ready replica',
    sentence: (d) =>
      `Waiting for ${d.dependency} to have a ready replica${d.path === undefined ? '' : ` (which waits for ${d.path})`}.`,
  },
  'grant-dependency-cycle': {
    stage: 'grant',
    weight: 10,
    when: 'workloads depend on one another in a circle: they do not wait for each other',
    sentence: (d) => `Its dependencies lead back to itself (${d.path}), so it does not wait for them.`,
  },
  'grant-preempted': {
    stage: 'victims',
    weight: 17,
    when: 'with preemption, running replicas above the minimum give way to a higher priority',
    sentence: (d) =>
      `${d.reclaimed} of ${count(d.running)} that ran ${d.reclaimed === 1 ? 'gives' : 'give'} way to ${d.for} (priority ${d.forPriority} over ${d.priority}), which needs the ${words[String(d.resource)] ?? d.resource}; ${d.minReplicas} would have stayed in any case.`,
  },
};

function shortfall(d: Data, limit: string): string {
  const parts = [`${count(d.wanted)} wanted, ${d.granted} granted: more would go over ${limit}`];
  const holders = [1, 2, 3]
    .filter((index) => d[`holder${index}`] !== undefined)
    .map((index) => `${d[`holder${index}`]} ${amount(d.resource, d[`holder${index}Amount`])}`);
  if (holders.length > 0) parts.push(`most of it is held by ${holders.join(', ')}`);
  if (d.limitNeeded !== undefined) parts.push(`a limit of ${amount(d.resource, d.limitNeeded)} would do`);
  return `${parts.join('; ')}.`;
}

function budget(d: Data): string {
  const money = (value: unknown) => `${shortNumber(Number(value) / 1e6)} ${d.currency}`;
  return `${money(d.spentMicro)} of ${money(d.limitMicro)} spent, ${money(d.projectedMicro)} by the end of the window`;
}

const words: Record<string, string> = {
  replicas: 'replicas',
  cpuMilli: 'CPU',
  memoryBytes: 'memory',
  gpuMilli: 'GPU',
  pricePerHourMicro: 'price an hour',
};

function amount(resource: unknown, value: unknown): string {
  const number = Number(value);
  if (resource === 'replicas') return count(number);
  if (resource === 'cpuMilli') return `${number / 1000} CPU`;
  if (resource === 'gpuMilli') return `${number / 1000} GPU`;
  if (resource === 'memoryBytes') return `${shortNumber(number / 2 ** 20)} MiB`;
  return `${number / 1e6} an hour`;
}
