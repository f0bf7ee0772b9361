import { costText, hoursText, lengthText, shareText } from '../report/text.ts';
import type { Tuning, TuningRun } from './tuning.ts';

/** The outcome of a search in words: the verdict first, then both parts, whatever it says. */
export function tuningSentences(tuning: Tuning): string[] {
  return [verdictText(tuning), partText(tuning, 'training'), partText(tuning, 'validation')];
}

function verdictText({ verdict, model, tuned, present, gain, policy }: Tuning): string {
  const promise = `${shareText(model.onTimeShare)} % of the requests begin within ${lengthText(model.onTimeMs)}`;
  const { training, validation } = tuned;
  switch (verdict) {
    case 'better':
      return gain.validation === null
        ? `Found: on the part that it has never seen it keeps the promise (${promise}), which the present documents miss there.`
        : `Found: on the part that it has never seen it saves ${percent(gain.validation)} and keeps the promise (${promise}).`;
    case 'present-is-best':
      return 'Nothing to change: the search found no setting that is better than the present documents.';
    case 'nothing-keeps-the-promise':
      return `No setting of ${policy} that was tried keeps the promise (${promise}) on the training part; the best has ${onTimeText(training)}. No patch is proposed.`;
    case 'promise-broken':
      return `Overfit: the best setting keeps the promise on the training part (${onTimeText(training)}), but misses it on the validation part (${onTimeText(validation)}). No patch is proposed.`;
    case 'gain-lost': {
      const saved =
        gain.training === null
          ? 'is better on the training part'
          : `saves ${percent(gain.training)} on the training part`;
      const lost =
        gain.validation === null || gain.validation <= 0
          ? `costs ${moneyText(validation)} instead of ${moneyText(present.validation)} on the validation part`
          : 'is no better on the validation part';
      return `Overfit: the best setting ${saved}, but ${lost}. No patch is proposed.`;
    }
  }
}

function partText({ parts, present, tuned, gain }: Tuning, name: 'training' | 'validation'): string {
  const { fromMs, toMs, requests } = parts[name];
  const saved = gain[name];
  const change = saved === null ? '' : saved >= 0 ? `, ${percent(saved)} less` : `, ${percent(-saved)} more`;
  const span = `${lengthText(fromMs)} to ${lengthText(toMs)}, ${requests.toLocaleString('en')} requests`;
  const title = name === 'training' ? 'Searched on' : 'Judged on';
  return `${title} ${span}: ${moneyText(present[name])} with ${onTimeText(present[name])} now, ${moneyText(tuned[name])} with ${onTimeText(tuned[name])} then${change}.`;
}

function onTimeText({ onTimeShare }: TuningRun): string {
  return `${shareText(onTimeShare)} % on time`;
}

export function moneyText({ costMicro, currency, replicaSeconds }: TuningRun): string {
  return costMicro === null
    ? hoursText(replicaSeconds).replace(/ h$/, ' replica-hours')
    : costText(costMicro, currency);
}

function percent(share: number): string {
  const value = share * 100;
  return `${value >= 9.95 ? Math.round(value) : value.toFixed(1)} %`;
}
