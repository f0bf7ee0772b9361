import type { Reason } from '../explain/reasons.ts';
import type { ReasonEntry } from '../explain/reasonTable.ts';

/** An amount as people write it: `250m`, `1.5 GiB`. */
const amount = (resource: unknown, value: unknown): string => {
  if (resource === 'cpu') return `${value}m`;
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let rest = Number(value);
  let unit = 0;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${Math.round(rest * 100) / 100} ${units[unit]}`;
};
const count = (value: unknown, noun: string): string => `${value} ${noun}${value === 1 ? '' : 's'}`;
const percent = (fraction: unknown): string => `${Math.round(Number(fraction) * 1000) / 10} %`;
const minutes = (ms: unknown): string => `${Math.round(Number(ms) / 6000) / 10} min`;

/** Every reason code of sizing, with its sentence: same shape as the table of decisions. */
export const sizingReasons = {
  'sizing-samples-dropped': {
    stage: 'reading',
    weight: 1,
    when: 'samples are out of order, not usable numbers, from the future, or of too many containers or replicas',
    sentence: (d) => `${count(d.count, 'sample')} of ${d.container} not used: ${d.why}.`,
  },
  'sizing-oom': {
    stage: 'reading',
    weight: 6,
    when: 'a container was killed because it ran out of memory',
    sentence: (d) =>
      `${d.container} ran out of memory ${count(d.count, 'time')}, ${d.replica} at ${amount('memory', d.usedBytes)}: counted as a use of ${amount('memory', d.neededBytes)}.`,
  },
  'sizing-history-expired': {
    stage: 'reading',
    weight: 3,
    when: 'nothing was added to a history for all of its windows',
    sentence: (d) => `The history of ${d.container} is forgotten: no CPU sample for ${d.days} days.`,
  },
  'sizing-history-trimmed': {
    stage: 'reading',
    weight: 2,
    when: 'what is to be remembered does not fit in the bytes there are',
    sentence: (d) =>
      `To stay within ${d.maxBytes} bytes, histories are rounded; ${count(d.replicas, 'replica')} and ${count(d.containers, 'container')} forgotten.`,
  },
  'sizing-off': {
    stage: 'recommendation',
    weight: 3,
    when: 'the mode of a container policy is Off',
    sentence: (d) => `${d.container} is not sized: its policy is Off.`,
  },
  'sizing-estimate': {
    stage: 'recommendation',
    weight: 5,
    when: 'for each controlled resource of each container',
    sentence: (d) =>
      `${d.container} uses at most ${amount(d.resource, d.percentileAmount)} of ${d.resource} ${percent(d.percentile)} of the time; with ${percent(d.margin)} margin ${amount(d.resource, d.withMargin)}.`,
  },
  'sizing-no-history': {
    stage: 'recommendation',
    weight: 4,
    when: 'no sample of the resource has counted yet',
    sentence: (d) => `The ${d.resource} of ${d.container} has not been measured yet.`,
  },
  'sizing-minimum': {
    stage: 'recommendation',
    weight: 4,
    when: 'the estimate is below the container’s share of the minimum per pod',
    sentence: (d) =>
      `${d.container} gets ${amount(d.resource, d.minimum)} of ${d.resource}, its share of the minimum per pod, not ${amount(d.resource, d.estimate)}.`,
  },
  'sizing-confidence': {
    stage: 'recommendation',
    weight: 2,
    when: 'for each container with history',
    sentence: (d) =>
      `The bounds of ${d.container} rest on ${count(d.samples, 'sample')} over ${d.hours} h (confidence ${d.confidence}).`,
  },
  'sizing-rounded': {
    stage: 'recommendation',
    weight: 1,
    when: 'amounts are rounded up to whole cores or to a step',
    sentence: (d) =>
      `The ${d.resource} of ${d.container} is rounded up from ${amount(d.resource, d.from)} to ${amount(d.resource, d.to)}.`,
  },
  'sizing-min-allowed': {
    stage: 'bounds',
    weight: 5,
    when: 'the target is below minAllowed',
    sentence: (d) =>
      `${d.container} gets ${amount(d.resource, d.bound)} of ${d.resource}, its minAllowed, not ${amount(d.resource, d.wanted)}.`,
  },
  'sizing-max-allowed': {
    stage: 'bounds',
    weight: 5,
    when: 'the target is above maxAllowed, of the policy or of the recommender',
    sentence: (d) =>
      `${d.container} gets ${amount(d.resource, d.bound)} of ${d.resource}, the maxAllowed of the ${d.from}, not ${amount(d.resource, d.wanted)}.`,
  },
  'sizing-pod-limit-range': {
    stage: 'bounds',
    weight: 4,
    when: 'the containers together are outside the limit range of pods',
    sentence: (d) =>
      `The ${d.resource} of ${d.container} goes from ${amount(d.resource, d.wanted)} to ${amount(d.resource, d.bound)} for the limit range of pods.`,
  },
  'sizing-limit-range': {
    stage: 'bounds',
    weight: 4,
    when: 'request or limit are outside the limit range of containers',
    sentence: (d) =>
      `The ${d.resource} of ${d.container} goes from ${amount(d.resource, d.wanted)} to ${amount(d.resource, d.bound)} for the limit range of containers.`,
  },
  'sizing-container-limit': {
    stage: 'bounds',
    weight: 4,
    when: 'only requests are controlled and the target is above the container’s limit',
    sentence: (d) =>
      `${d.container} gets ${amount(d.resource, d.bound)} of ${d.resource}, its limit, which is not changed, not ${amount(d.resource, d.wanted)}.`,
  },
  'sizing-mode': {
    stage: 'bounds',
    weight: 6,
    when: 'the update mode does not change running replicas',
    sentence: (d) => `Running replicas are left as they are: the update mode is ${d.mode}.`,
  },
  'sizing-outside-range': {
    stage: 'victims',
    weight: 5,
    when: 'a request lies outside lowerBound to upperBound, or is missing',
    sentence: (d) => `${d.replica} has a request outside the bounds (${percent(d.difference)} off).`,
  },
  'sizing-quick-oom': {
    stage: 'victims',
    weight: 6,
    when: 'a container ran out of memory soon after its start, and not long ago',
    sentence: (d) => `${d.replica} ran out of memory within ${minutes(d.withinMs)} of its start.`,
  },
  'sizing-long-lived': {
    stage: 'victims',
    weight: 4,
    when: 'requests are within the bounds, but far enough from the target, and the replica is old enough',
    sentence: (d) => `${d.replica} is ${percent(d.difference)} off and older than ${minutes(d.lifetimeMs)}.`,
  },
  'sizing-too-young': {
    stage: 'victims',
    weight: 1,
    when: 'requests are within the bounds and the replica has not run long enough',
    sentence: (d) => `${d.replica} is within its bounds and younger than ${minutes(d.lifetimeMs)}.`,
  },
  'sizing-close-enough': {
    stage: 'victims',
    weight: 1,
    when: 'requests are within the bounds and near the target',
    sentence: (d) => `${d.replica} is within its bounds and only ${percent(d.difference)} off.`,
  },
  'sizing-oom-same-size': {
    stage: 'victims',
    weight: 2,
    when: 'a replica ran out of memory early, but would get what it has',
    sentence: (d) => `${d.replica} ran out of memory early, but its size would not change.`,
  },
  'sizing-requirement': {
    stage: 'victims',
    weight: 4,
    when: 'no container meets all eviction requirements',
    sentence: (d) => `${d.replica} stays: an eviction requirement is not met.`,
  },
  'sizing-too-few-replicas': {
    stage: 'victims',
    weight: 4,
    when: 'fewer replicas live than an update needs',
    sentence: (d) => `${d.replica} stays: ${d.live} live, ${d.minReplicas} are needed for an update.`,
  },
  'sizing-group-unknown': {
    stage: 'victims',
    weight: 4,
    when: 'how many replicas there should be is not known',
    sentence: (d) => `${d.replica} stays: how many replicas its group should have is not known.`,
  },
  'sizing-eviction-limit': {
    stage: 'victims',
    weight: 4,
    when: 'as many replicas are disrupted as may be at once',
    sentence: (d) => `${d.replica} waits: ${d.alive} of ${d.configured} alive, ${d.tolerance} may be missing.`,
  },
  'sizing-refused-before': {
    stage: 'victims',
    weight: 4,
    when: 'its node could not give what was asked, and no less is asked now',
    sentence: (d) => `${d.replica} waits: its node refused a resize, and nothing asked for is lower now.`,
  },
  'sizing-resize-waits': {
    stage: 'victims',
    weight: 3,
    when: 'a resize is under way, or the replica is not running yet',
    sentence: (d) => `${d.replica} waits: its resize is ${d.resize}.`,
  },
  'sizing-resize-failed': {
    stage: 'victims',
    weight: 4,
    when: 'a resize in place cannot be done, or takes too long',
    sentence: (d) => `${d.replica} is replaced: its resize is ${d.resize}.`,
  },
} satisfies Record<string, ReasonEntry>;

export type SizingCode = keyof typeof sizingReasons;

/** A reason of sizing with its numbers. */
export function because(code: SizingCode, data: Reason['data']): Reason {
  return { code, stage: sizingReasons[code].stage, data };
}

/** One sentence for a reason of sizing. A code from a newer version is shown as it is. */
export function sizingSentence(reason: Reason): string {
  const table: Record<string, ReasonEntry> = sizingReasons;
  const entry = table[reason.code];
  return entry ? entry.sentence(reason.data) : `${reason.code} ${JSON.stringify(reason.data)}`;
}
