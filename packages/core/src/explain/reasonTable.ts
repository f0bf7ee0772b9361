import { algorithmReasons } from './reasonTableAlgorithms.ts';
import { grantReasons } from './reasonTableGrants.ts';
import { pricedReasons } from './reasonTablePriced.ts';
import type { Reason, Stage } from './reasons.ts';
import { count, seconds } from './wording.ts';

type Data = Reason['data'];

export interface ReasonEntry {
  stage: Stage;
  /** How much a reader wants to know it first; the summary takes the largest. */
  weight: number;
  /** For the reference page: when this reason is given. */
  when: string;
  sentence: (data: Data) => string;
}

/** Every reason code there is. A code without an entry, or an entry without a code in use, fails a test. */
export const reasonTable: Record<string, ReasonEntry> = {
  'first-decision': {
    stage: 'reading',
    weight: 1,
    when: 'the workload is decided on for the first time',
    sentence: (d) => `First decision: ${count(d.running)} running already, ${d.initialReplicas} to begin with.`,
  },
  'reading-unusable': {
    stage: 'reading',
    weight: 3,
    when: 'a reading is missing, stale, an error, or not a usable number',
    sentence: (d) => `The reading of ${d.trigger} cannot be used (${d.why}).`,
  },
  'reading-out-of-order': {
    stage: 'reading',
    weight: 0,
    when: 'a reading covers only time that is already known',
    sentence: (d) => `A late reading of ${d.trigger} changes nothing.`,
  },
  'stable-window': {
    stage: 'recommendation',
    weight: 4,
    when: 'always, for each trigger that was measured',
    sentence: (d) =>
      `${d.trigger} averaged ${d.mean} over ${seconds(d.windowMs)}, at ${d.target} a replica: ${count(d.replicas)}.`,
  },
  'not-measured-yet': {
    stage: 'recommendation',
    weight: 3,
    when: 'no reading of the trigger has come yet',
    sentence: (d) => `${d.trigger} has not been measured yet: ${count(d.replicas)} stay.`,
  },
  'panic-window': {
    stage: 'recommendation',
    weight: 5,
    when: 'the short window asks for a multiple of what is ready',
    sentence: (d) =>
      `Burst: ${d.trigger} averaged ${d.mean} over ${seconds(d.windowMs)} with ${d.ready} ready: ${count(d.replicas)}, not fewer until it is over.`,
  },
  'down-rate-limited': {
    stage: 'recommendation',
    weight: 2,
    when: 'the largest step down (maxScaleDownRate) is smaller than what the window asks',
    sentence: (d) => `${d.trigger} would do with ${d.wanted}, the step down is limited to ${d.replicas}.`,
  },
  'present-demand': {
    stage: 'recommendation',
    weight: 6,
    when: 'the requests here now need more slots than the windows ask for',
    sentence: (d) => {
      const parts = [];
      if (Number(d.held) > 0) parts.push(`${count(d.held, 'request')} waiting`);
      if (Number(d.inFlight) > 0) parts.push(`${d.inFlight} in flight`);
      const each = d.concurrency === 0 ? '' : `, ${d.concurrency} at once each`;
      return `${parts.join(' and ')}${each}: ${count(d.replicas)}.`;
    },
  },
  'hpa-metric': {
    stage: 'recommendation',
    weight: 4,
    when: 'HPA: a metric gave a proposal',
    sentence: (d) =>
      `${d.metric} is at ${d.unit === 'milli' ? Number(d.current) / 1000 : `${d.current} %`}: ${count(d.replicas)}.`,
  },
  'hpa-metric-failed': {
    stage: 'recommendation',
    weight: 7,
    when: 'HPA: a metric could not be computed',
    sentence: (d) => `${d.metric}: ${d.why}.`,
  },
  'hpa-largest': {
    stage: 'combine',
    weight: 5,
    when: 'HPA: the largest proposal wins',
    sentence: (d) => `The most is asked by ${d.metric}: ${count(d.replicas)}.`,
  },
  'hpa-nothing-scaled': {
    stage: 'combine',
    weight: 8,
    when: 'HPA: every metric failed, or one failed and the others ask for less',
    sentence: (d) => `Nothing is scaled, ${count(d.replicas)} stay: ${d.why}.`,
  },
  'hpa-disabled-at-zero': {
    stage: 'gate',
    weight: 9,
    when: 'HPA: the target is at zero and minReplicas is not',
    sentence: () => 'Scaling is disabled because somebody set the target to zero.',
  },
  'hpa-between-syncs': {
    stage: 'reading',
    weight: 1,
    when: 'HPA: asked before its next sync',
    sentence: (d) => `The next sync is in ${seconds(d.inMs)}; ${count(d.replicas)} until then.`,
  },
  'hpa-no-observation': {
    stage: 'reading',
    weight: 8,
    when: 'HPA: the scale of the target could not be read',
    sentence: (d) => `The target's scale could not be read: ${count(d.replicas)} stay.`,
  },
  'hpa-condition': {
    stage: 'behavior',
    weight: 0,
    when: 'HPA: each condition of the object, with its Kubernetes reason',
    sentence: (d) => `${d.type}=${d.status} (${d.reason}): ${d.message}.`,
  },
  'keda-paused': {
    stage: 'gate',
    weight: 20,
    when: 'KEDA: paused by annotation',
    sentence: (d) => `Paused at ${count(d.current)}.`,
  },
  'keda-between-polls': {
    stage: 'reading',
    weight: 1,
    when: 'KEDA: asked between two polls of its operator',
    sentence: (d) => `The next poll is in ${seconds(d.inMs)}; ${count(d.replicas)} until then.`,
  },
  'keda-paused-at': {
    stage: 'gate',
    weight: 20,
    when: 'KEDA: paused-replicas',
    sentence: (d) => `Paused at ${count(d.replicas)} by annotation.`,
  },
  'keda-active': {
    stage: 'gate',
    weight: 1,
    when: 'KEDA: a trigger is active and something runs',
    sentence: () => 'A trigger is active.',
  },
  'keda-activates': {
    stage: 'gate',
    weight: 9,
    when: 'KEDA: a trigger turned active at zero or idle',
    sentence: (d) => `A trigger is active: ${d.current} to ${count(d.replicas)}.`,
  },
  'keda-scale-out-paused': {
    stage: 'gate',
    weight: 12,
    when: 'KEDA: paused-scale-out',
    sentence: (d) => `Scale-out is paused by annotation: ${count(d.current)} stay.`,
  },
  'keda-scale-in-paused': {
    stage: 'gate',
    weight: 12,
    when: 'KEDA: paused-scale-in',
    sentence: (d) => `Scale-in is paused by annotation: ${count(d.current)} stay.`,
  },
  'keda-error': {
    stage: 'gate',
    weight: 8,
    when: 'KEDA: no trigger is active, one failed, and there is no fallback',
    sentence: (d) => `A trigger cannot be read and there is no fallback: ${count(d.current)} stay.`,
  },
  'keda-error-with-fallback': {
    stage: 'gate',
    weight: 8,
    when: "KEDA: no trigger is active and one failed; the fallback is the HPA metric's",
    sentence: (d) => `A trigger cannot be read; the operator leaves ${count(d.current)}.`,
  },
  'keda-cools-down': {
    stage: 'gate',
    weight: 9,
    when: 'KEDA: inactive, and the cool-down is not over',
    sentence: (d) => `No trigger is active; ${count(d.current)} stay until the cool-down is over.`,
  },
  'keda-deactivates': {
    stage: 'gate',
    weight: 9,
    when: 'KEDA: inactive, and the cool-down is over',
    sentence: (d) => `No trigger has been active for the whole cool-down: ${d.current} to ${d.replicas}.`,
  },
  'keda-steps-down': {
    stage: 'gate',
    weight: 9,
    when: 'KEDA with improvements: inactive, and more than one replica runs',
    sentence: (d) => `No trigger is active; ${count(d.current)} go by the scale-down policies before zero.`,
  },
  'keda-to-minimum': {
    stage: 'gate',
    weight: 9,
    when: 'KEDA: inactive and below the minimum',
    sentence: (d) => `Below the minimum: ${d.current} to ${count(d.replicas)}.`,
  },
  'keda-inactive': {
    stage: 'gate',
    weight: 4,
    when: 'KEDA: inactive, nothing to do',
    sentence: () => 'No trigger is active.',
  },
  'keda-fallback': {
    stage: 'combine',
    weight: 10,
    when: 'KEDA: a source has failed more often than its threshold allows',
    sentence: (d) => `${d.trigger} cannot be read; its fallback counts instead.`,
  },
  'keda-last-value': {
    stage: 'reading',
    weight: 6,
    when: 'KEDA with improvements: the last value of a lost source is still used',
    sentence: (d) => `${d.trigger} cannot be read; its value ${d.value} of ${seconds(d.ageMs)} ago is used.`,
  },
  'sum-of-classes': {
    stage: 'combine',
    weight: 0,
    when: 'the workload has several classes',
    sentence: (d) => `All classes together: ${count(d.replicas)}.`,
  },
  'event-factor': {
    stage: 'combine',
    weight: 7,
    when: 'a dated event with a factor is on',
    sentence: (d) => `Event "${d.event}" counts demand ${d.factor} times: ${d.wanted} to ${count(d.replicas)}.`,
  },
  'counts-missing': {
    stage: 'combine',
    weight: 8,
    when: 'the gateway is silent: its counts are unknown, not zero',
    sentence: (d) => `The gateway is silent, so its counts are unknown: holding ${count(d.replicas)}.`,
  },
  'source-lost': {
    stage: 'combine',
    weight: 8,
    when: 'a trigger cannot be read: a lost source is never zero demand',
    sentence: (d) => `${d.trigger} cannot be read: holding ${count(d.replicas)}.`,
  },
  'gate-opens': {
    stage: 'gate',
    weight: 5,
    when: 'somebody waits at zero',
    sentence: (d) => `Woken from zero by ${count(d.demand, 'request')}.`,
  },
  'gate-open': {
    stage: 'gate',
    weight: 1,
    when: 'there is demand',
    sentence: (d) => `In use: ${count(d.demand, 'request')} held or in flight.`,
  },
  'gate-keeps-alive': {
    stage: 'gate',
    weight: 13,
    when: 'idle, and the keep-alive time is not over',
    sentence: (d) =>
      `Idle for ${seconds(d.idleMs)}; kept for another ${seconds(d.remainingMs)} (keep-alive ${seconds(d.keepAliveMs)}).`,
  },
  'gate-closes': {
    stage: 'gate',
    weight: 7,
    when: 'idle for the whole keep-alive time',
    sentence: (d) => `Idle for ${seconds(d.idleMs)}, keep-alive of ${seconds(d.keepAliveMs)} is over: to zero.`,
  },
  'gate-closed': {
    stage: 'gate',
    weight: 9,
    when: 'at zero, and nobody waits',
    sentence: () => 'At zero, nobody waits.',
  },
  'scale-up-stabilized': {
    stage: 'behavior',
    weight: 9,
    when: 'a smaller recommendation is still in the stabilisation window of scale-up',
    sentence: (d) =>
      `Would go to ${d.recommended}, but the last ${seconds(d.windowMs)} asked for less: ${count(d.replicas)}.`,
  },
  'scale-down-stabilized': {
    stage: 'behavior',
    weight: 9,
    when: 'a larger recommendation is still in the stabilisation window of scale-down',
    sentence: (d) =>
      `Would go to ${d.recommended}, but the last ${seconds(d.windowMs)} asked for more: ${count(d.replicas)}.`,
  },
  'scale-up-limited': {
    stage: 'behavior',
    weight: 9,
    when: 'the scale-up policies allow less in this period',
    sentence: (d) => `Would go from ${d.current} to ${d.wanted}; the scale-up policies allow ${d.replicas} now.`,
  },
  'scale-down-limited': {
    stage: 'behavior',
    weight: 9,
    when: 'the scale-down policies allow less in this period',
    sentence: (d) => `Would go from ${d.current} to ${d.wanted}; the scale-down policies stop at ${d.replicas} now.`,
  },
  paused: {
    stage: 'bounds',
    weight: 20,
    when: 'the document pauses scaling',
    sentence: (d) => `Paused at ${count(d.replicas)} (would be ${d.wanted}).`,
  },
  'raised-to-min': {
    stage: 'bounds',
    weight: 10,
    when: 'less than minReplicas was wanted',
    sentence: (d) => `${count(d.wanted)} would do; the minimum is ${d.minReplicas}.`,
  },
  'raised-by-schedule': {
    stage: 'bounds',
    weight: 11,
    when: 'a schedule that is on asks for more',
    sentence: (d) => `Schedule "${d.schedule}" keeps at least ${count(d.minReplicas)} (demand: ${d.wanted}).`,
  },
  'capped-at-max': {
    stage: 'bounds',
    weight: 12,
    when: 'more than maxReplicas was wanted',
    sentence: (d) => `${count(d.wanted)} wanted; the maximum is ${d.maxReplicas}.`,
  },
  ...grantReasons,
  ...algorithmReasons,
  ...pricedReasons,
};
