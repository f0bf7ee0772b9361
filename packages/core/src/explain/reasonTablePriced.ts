import type { ReasonEntry } from './reasonTable.ts';
import { count, seconds, shortNumber } from './wording.ts';

const percent = (share: unknown): string => {
  const value = Math.round(1000 * Number(share)) / 10;
  return `${value} %`;
};

const waiting = (held: unknown): string => (Number(held) > 0 ? ` and ${held} wait` : '');

/** Reasons of Ebb's own policy (replicas/priced). */
export const pricedReasons: Record<string, ReasonEntry> = {
  'priced-demand': {
    stage: 'recommendation',
    weight: 4,
    when: 'priced: at each look, for each class',
    sentence: (d) =>
      `${d.class} needs ${shortNumber(d.demand)} slots now (a service takes ${seconds(d.serviceMs)})${waiting(d.held)}, at ${d.slots} a replica: ${count(d.replicas)}.`,
  },
  'priced-backlog': {
    stage: 'recommendation',
    weight: 7,
    when: 'priced: more waits than the replicas can work off before others could start',
    sentence: (d) =>
      `${count(d.held, 'request')} waiting: ${count(d.replicas, 'more replica')} to work it off, worth their start of ${seconds(d.coldStartMs)}.`,
  },
  'priced-held': {
    stage: 'recommendation',
    weight: 6,
    when: 'priced: a replica that is not needed now is cheaper to keep than to miss',
    sentence: (d) =>
      `${count(d.replicas)} kept, idle for ${seconds(d.idleMs)}: to miss it would cost as much as ${seconds(d.missMs)} of a replica, with a chance of ${percent(d.chance)} in the next ${seconds(d.coldStartMs)}.`,
  },
  'priced-start-ahead': {
    stage: 'recommendation',
    weight: 7,
    when: 'priced: a replica is started before the time at which demand usually returns',
    sentence: (d) =>
      `${count(d.replicas)} started ahead, after ${seconds(d.idleMs)} without need: demand is back in the next ${seconds(d.coldStartMs)} with a chance of ${percent(d.chance)}.`,
  },
  'forecast-floor': {
    stage: 'forecast',
    weight: 7,
    when: 'priced: a forecast that has saved money in shadow asks for more than the levels do',
    sentence: (d) =>
      `The forecast ${d.forecaster} expects more within a cold start: ${count(d.replicas)} instead of ${d.without} (${percent(d.confidence)} sure that following it is cheaper).`,
  },
};
