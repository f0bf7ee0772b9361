import type { WhatIf } from './whatIfSearch.ts';
import { count, seconds, shortNumber } from './wording.ts';

type Data = WhatIf['data'];

const ofClass = (data: Data): string => (data.class === 'default' ? '' : ` of class ${data.class}`);

/** Every change there is, in a sentence; `replicas` of its data is the count it leads to. */
export const whatIfSentences: Record<string, (data: Data) => string> = {
  'more-requests': (d) =>
    `${count(d.requests, 'request')}${ofClass(d)} held or in flight instead of ${d.now}: ${count(d.replicas)}.`,
  'fewer-requests': (d) =>
    `Only ${count(d.requests, 'request')}${ofClass(d)} held or in flight instead of ${d.now}: ${count(d.replicas)}.`,
  'mean-above': (d) =>
    `${d.trigger}${ofClass(d)} averaging more than ${shortNumber(d.mean)} instead of ${shortNumber(d.now)}: ${count(d.replicas)}.`,
  'mean-at-most': (d) =>
    `${d.trigger}${ofClass(d)} averaging at most ${shortNumber(d.mean)} instead of ${shortNumber(d.now)}: ${count(d.replicas)}.`,
  'keep-alive-ends': (d) => `${seconds(d.inMs)} later without a request: ${count(d.replicas)}.`,
  'time-passes': (d) => `${seconds(d.inMs)} later with all else unchanged: ${count(d.replicas)}.`,
  unpaused: (d) => `Without the pause: ${count(d.replicas)}.`,
  'higher-max': (d) => `maxReplicas of ${d.maxReplicas} instead of ${d.now}: ${count(d.replicas)}.`,
  'lower-min': (d) => `minReplicas of ${d.minReplicas} instead of ${d.now}: ${count(d.replicas)}.`,
  'without-schedule': (d) => `Without the schedule "${d.schedule}": ${count(d.replicas)}.`,
  'without-scale-up-rules': (d) => `Without the rules of behavior.scaleUp: ${count(d.replicas)}.`,
  'without-scale-down-rules': (d) => `Without the rules of behavior.scaleDown: ${count(d.replicas)}.`,
  'without-down-rate': (d) => `Without the limit of windows.maxScaleDownRate: ${count(d.replicas)}.`,
  'shorter-keep-alive': (d) =>
    `keepAlive of at most ${seconds(d.keepAliveMs)} instead of ${seconds(d.now)}: ${count(d.replicas)}.`,
  'longer-keep-alive': (d) =>
    `keepAlive of ${seconds(d.keepAliveMs)} or more instead of ${seconds(d.now)}: ${count(d.replicas)}.`,
  'gateway-heard': (d) => `With the gateway heard, and what it last told still true: ${count(d.replicas)}.`,
};

/** One sentence for a change. A code from a newer version is shown as it is. */
export function whatIfSentence({ change, data }: WhatIf): string {
  return whatIfSentences[change]?.(data) ?? `${change} ${JSON.stringify(data)}`;
}
