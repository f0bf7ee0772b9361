import type { ReasonEntry } from './reasonTable.ts';
import { sloLoopReasons } from './reasonTableSlo.ts';
import { count, seconds, shortNumber } from './wording.ts';

/** Reasons of the algorithms of other platforms and of the SLO triggers (replicas/algorithms). */
export const algorithmReasons: Record<string, ReasonEntry> = {
  'between-turns': {
    stage: 'reading',
    weight: 1,
    when: 'an algorithm with a clock of its own is asked before its next turn',
    sentence: (d) => `The next turn is in ${seconds(d.inMs)}; ${count(d.replicas)} until then.`,
  },
  'demand-unknown': {
    stage: 'combine',
    weight: 8,
    when: 'an algorithm has no demand to go by: a lost source is never zero demand',
    sentence: (d) => `The demand is not known: ${count(d.replicas)} stay.`,
  },
  'algorithm-asks': {
    stage: 'recommendation',
    weight: 4,
    when: 'Ray Serve, SkyServe, KubeAI, AIBrix, Clarifai: the signal over its window, and what it comes to',
    sentence: (d) =>
      `${d.signal}: ${d.value} over ${seconds(d.windowMs)}${d.target === null ? '' : `, target ${d.target}`}: ${count(d.replicas)}.`,
  },
  'cold-start': {
    stage: 'gate',
    weight: 6,
    when: 'nothing runs and somebody waits',
    sentence: (d) =>
      `Nothing runs and ${count(shortNumber(d.ongoing), 'request')} waiting: ${count(d.replicas)} at once.`,
  },
  'kept-while-none-is-ready': {
    stage: 'gate',
    weight: 4,
    when: 'Ray Serve: no replica is ready and nothing waits',
    sentence: (d) => `None is ready and nothing waits: ${count(d.replicas)} stay.`,
  },
  'increase-waits': {
    stage: 'behavior',
    weight: 9,
    when: 'more is wanted, and the delay before an increase is not over',
    sentence: (d) =>
      `${d.wanted} wanted for ${seconds(d.waitedMs)} of the ${seconds(d.delayMs)} before an increase: ${count(d.replicas)}.`,
  },
  'decrease-waits': {
    stage: 'behavior',
    weight: 9,
    when: 'fewer would do, and the delay before a decrease is not over',
    sentence: (d) =>
      `${d.wanted} would do for ${seconds(d.waitedMs)} of the ${seconds(d.delayMs)} before a decrease: ${count(d.replicas)}.`,
  },
  'waits-for-votes': {
    stage: 'behavior',
    weight: 9,
    when: 'SkyServe, KubeAI: a change needs more votes in a row',
    sentence: (d) => `${d.wanted} wanted, vote ${d.votes} of ${d.needed}: ${count(d.replicas)}.`,
  },
  'clarifai-burst': {
    stage: 'behavior',
    weight: 10,
    when: 'Clarifai: demand is over twice the capacity, so that the up delay does not count',
    sentence: (d) =>
      `Burst: ${count(d.demand, 'request')} for a capacity of ${d.capacity}; ${count(d.replicas)} without waiting.`,
  },
  'kpa-stable-window': {
    stage: 'recommendation',
    weight: 4,
    when: 'KPA: the stable window, at each turn with data',
    sentence: (d) =>
      `${d.metric} averaged ${shortNumber(d.mean)} over ${seconds(d.windowMs)}, at ${shortNumber(d.target)} a replica: ${count(d.replicas)}.`,
  },
  'kpa-limited': {
    stage: 'recommendation',
    weight: 2,
    when: 'KPA: the rates of change or the activation scale move what the window asks',
    sentence: (d) => `${d.asked} asked, ${d.least} to ${d.most} allowed in this step: ${count(d.replicas)}.`,
  },
  'kpa-panic-window': {
    stage: 'recommendation',
    weight: 5,
    when: 'KPA: in panic the count does not fall',
    sentence: (d) =>
      `Panic: ${d.metric} averaged ${shortNumber(d.mean)} in the short window with ${d.ready} ready: ${count(d.replicas)}, not fewer until it is over.`,
  },
  'kpa-no-data': {
    stage: 'recommendation',
    weight: 7,
    when: 'KPA: nothing was measured within the stable window',
    sentence: (d) => `Nothing was measured in ${seconds(d.windowMs)}: ${count(d.replicas)} stay.`,
  },
  'kpa-scale-down-delayed': {
    stage: 'behavior',
    weight: 9,
    when: 'KPA: a larger count is still in the scale-down delay',
    sentence: (d) => `${d.wanted} would do; the last ${seconds(d.delayMs)} asked for more: ${count(d.replicas)}.`,
  },
  'kpa-initial-scale': {
    stage: 'bounds',
    weight: 9,
    when: 'KPA: the initial scale has not been reached yet',
    sentence: (d) => `The initial scale has not been reached: ${count(d.replicas)} (${d.wanted} would do).`,
  },
  'kpa-zero-disabled': {
    stage: 'gate',
    weight: 6,
    when: 'KPA: enable-scale-to-zero is false',
    sentence: () => 'Scale to zero is off: 1 replica stays.',
  },
  'kpa-activating': {
    stage: 'gate',
    weight: 5,
    when: 'KPA: it has not been ready yet, and its time is not over',
    sentence: (d) =>
      `Getting ready for ${seconds(d.forMs)}, given up after ${seconds(d.limitMs)}: ${count(d.replicas)} stay.`,
  },
  'kpa-activation-timed-out': {
    stage: 'gate',
    weight: 10,
    when: 'KPA: it did not get ready within the progress deadline and thirty seconds',
    sentence: (d) => `Not ready after ${seconds(d.forMs)} (limit ${seconds(d.limitMs)}): to zero.`,
  },
  'kpa-held-at-one': {
    stage: 'gate',
    weight: 6,
    when: 'KPA: zero is wanted, but it has been active for less than a stable window',
    sentence: (d) => `Active for ${seconds(d.forMs)} of ${seconds(d.windowMs)}: held at 1 replica.`,
  },
  'kpa-deactivates': {
    stage: 'gate',
    weight: 6,
    when: 'KPA: zero is wanted, and it has been active for a whole stable window',
    sentence: (d) => `Idle: the activator takes over; ${count(d.replicas)} stay until it has.`,
  },
  'kpa-waits-for-activator': {
    stage: 'gate',
    weight: 7,
    when: 'KPA: the activator has not answered the probe',
    sentence: (d) => `The activator is not in the path yet: ${count(d.replicas)} stay.`,
  },
  'kpa-grace-period': {
    stage: 'gate',
    weight: 6,
    when: 'KPA: inactive, and the grace period or the pod retention is not over',
    sentence: (d) =>
      `Inactive for ${seconds(d.forMs)} and behind the activator for ${seconds(d.proxiedMs)}; grace period ${seconds(d.graceMs)}, retention ${seconds(d.retentionMs)}: ${count(d.replicas)} stay.`,
  },
  'kpa-to-zero': {
    stage: 'gate',
    weight: 8,
    when: 'KPA: inactive, behind the activator, and the waiting is over',
    sentence: (d) => `Inactive for ${seconds(d.forMs)}, behind the activator for ${seconds(d.proxiedMs)}: to zero.`,
  },
  'kpa-path': {
    stage: 'gate',
    weight: 0,
    when: 'KPA: phase, spare capacity over the target burst, and activators, at each turn',
    sentence: (d) =>
      `${d.phase}, ${d.proxied ? 'through the activator' : 'straight to the replicas'} (excess burst capacity ${d.excessBurstCapacity}, ${d.activators} activators).`,
  },
  'slo-not-measured': {
    stage: 'recommendation',
    weight: 7,
    when: 'SLO trigger: no reading within its window',
    sentence: (d) => `${d.trigger} has not been measured: ${count(d.replicas)} stay.`,
  },
  'slo-within': {
    stage: 'recommendation',
    weight: 3,
    when: 'SLO trigger: the signal lies between its two marks',
    sentence: (d) => `${d.trigger} is at ${d.value} ${d.unit}, at most ${d.above} is meant: ${count(d.replicas)} stay.`,
  },
  'slo-above': {
    stage: 'recommendation',
    weight: 6,
    when: 'SLO trigger: the signal is over its mark and the last change has had time to show',
    sentence: (d) => `${d.trigger} is at ${d.value} ${d.unit}, over ${d.above}: from ${d.from} to ${d.replicas}.`,
  },
  'slo-below': {
    stage: 'recommendation',
    weight: 5,
    when: 'SLO trigger: the signal is under its lower mark and the last change has had time to show',
    sentence: (d) => `${d.trigger} is at ${d.value} ${d.unit}, under ${d.below}: from ${d.from} to ${d.replicas}.`,
  },
  'slo-dead-time': {
    stage: 'recommendation',
    weight: 7,
    when: 'SLO trigger: the last change has not had time to show',
    sentence: (d) =>
      `${d.trigger} is at ${d.value} ${d.unit}; the last change needs another ${seconds(d.remainingMs)} to show: ${count(d.replicas)}.`,
  },
  'slo-shrink-known-to-fail': {
    stage: 'recommendation',
    weight: 6,
    when: 'SLO trigger: fewer would do, but were too few at this demand before',
    sentence: (d) => `${d.trigger} is under ${d.below}, but fewer were too few at this demand: ${count(d.replicas)}.`,
  },
  ...sloLoopReasons,
};
