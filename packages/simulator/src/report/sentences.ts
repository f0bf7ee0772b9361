import type { Comparison, PolicyOnTrace } from '../compare/comparison.ts';
import { fullSlowdown } from '../world/batching.ts';
import { costText, hoursText, lengthText, listText, ratioText, shareText } from './text.ts';

/** `99 % of the requests begin within 5 s` */
export function promiseText({ model }: Pick<Comparison, 'model'>): string {
  return `${shareText(model.onTimeShare).replace(/\.0+$|(?<=\.\d)0$/, '')} % of the requests begin within ${lengthText(model.onTimeMs)}`;
}

/** The outcome in words: over all traces where there are several, then each trace. */
export function summarySentences(comparison: Comparison): string[] {
  const { traces } = comparison;
  return [
    ...(traces.length > 1 ? [overallSentence(comparison)] : []),
    ...traces.map(({ trace }) => traceSentence(comparison, trace)),
  ];
}

/** More policies than this are counted, not named. */
const mostNamed = 3;

function overallSentence({ overall, traces }: Comparison): string {
  const best = overall.find(({ isBest }) => isBest);
  const own = overall.filter(({ usesHindsight }) => !usesHindsight);
  const keepers = overall.filter(({ ratio }) => ratio !== null);
  const all = `all ${traces.length} traces`;
  const known = keepers.filter(({ usesHindsight }) => usesHindsight);
  if (!best) {
    const most = own.reduce((max, { qualified }) => Math.max(max, qualified), 0);
    if (most === 0) return `No policy keeps the promise on any trace${hindsightText(known)}.`;
    const names = own.filter(({ qualified }) => qualified === most).map(({ policy }) => policy);
    const who = names.length > mostNamed ? `${names.length} of ${own.length} policies` : listText(names);
    return `No policy keeps the promise on ${all}; ${who} ${names.length > 1 ? 'do' : 'does'} on ${most}${hindsightText(known)}.`;
  }
  const others = keepers.filter((one) => one !== best && !one.usesHindsight);
  const rest = others.map(({ policy, ratio }) => `${policy} at ${ratioText(ratio)} ×`);
  const also =
    others.length === 0 ? 'no other policy does' : `so ${others.length > 1 ? 'do' : 'does'} ${listText(rest)}`;
  return `On ${all} ${best.policy} keeps the promise at ${ratioText(best.ratio)} × the optimum (geometric mean); ${also}${hindsightText(known)}.`;
}

/** What nobody has in advance is told apart from what can be had. */
function hindsightText(known: readonly { policy: string; ratio: number | null }[]): string {
  return known.map(({ policy, ratio }) => `; with hindsight ${policy} keeps it at ${ratioText(ratio)} ×`).join('');
}

/** What one trace showed. */
export function traceSentence({ summaries, overall }: Comparison, trace: string): string {
  const own = summaries.filter((summary) => summary.trace === trace);
  const best = own.find(({ isBest }) => isBest);
  const missed = own.filter(({ qualifies }) => !qualifies);
  const known = own.filter(({ qualifies, usesHindsight }) => qualifies && usesHindsight);
  const miss = missed.map(({ policy, onTimeShare }) => `${policy} ${shareText(onTimeShare)} %`);
  const prefix = overall.length > 0 ? `${trace}: ` : '';
  if (own.length === 0) return `${prefix}no run came to a result.`;
  if (!best) return `${prefix}no policy keeps the promise; on time were ${listText(miss)}${hindsightText(known)}.`;
  const others = own.filter((one) => one.qualifies && !one.isBest && !one.usesHindsight);
  const rest = others.sort(byCost).map(({ policy, ratio }) => `${policy} needs ${ratioText(ratio)} ×`);
  const parts = [
    `${best.policy} keeps the promise at ${ratioText(best.ratio)} × the optimum, with ${amountText(best)}`,
    ...(rest.length > 0 ? [listText(rest)] : []),
    ...(miss.length > 0 ? [`the promise is missed by ${listText(miss)}`] : []),
  ];
  return `${prefix}${parts.join('; ')}${hindsightText(known)}.`;
}

function byCost(a: PolicyOnTrace, b: PolicyOnTrace): number {
  return a.replicaSeconds - b.replicaSeconds;
}

function amountText({ replicaSeconds, costMicro, currency }: PolicyOnTrace): string {
  const hours = `${hoursText(replicaSeconds).replace(/ h$/, '')} replica-hours`;
  return costMicro === null ? hours : `${hours} (${costText(costMicro, currency)})`;
}

/** What a full replica makes of a service. */
function slowdownText(model: Comparison['model']): string {
  const times = fullSlowdown(model);
  return times === 1 ? '' : `, and ${Number(times.toFixed(2))} times as long with ${model.concurrency} at once`;
}

/** How the figures came to be, and what they cannot say. */
export function modelSentences({ model, coldStartMs, isStrictBound }: Comparison): string[] {
  const { service, concurrency, deferrable } = model;
  const lengths =
    service.type === 'fixed'
      ? `a service takes ${lengthText(service.ms)}`
      : service.type === 'tokens'
        ? `a service takes ${lengthText(service.baseMs)} and ${lengthText(service.perTokenMs)} a token, ${lengthText(service.withoutTokensMs)} where a trace has no tokens`
        : `a service takes as long as one of ${service.ms.length} measured ones, drawn`;
  const faults = Object.entries(model.faults).some(
    ([name, value]) => /^(crash|hang|failed|slowShare|silentEvery|staleEvery|clientTimeout)/.test(name) && value !== 0,
  );
  return [
    `A replica works on ${concurrency} requests at once; ${lengths}${slowdownText(model)}; a cold start takes ${isStrictBound ? '' : 'on average '}${lengthText(coldStartMs)} and is paid for.`,
    ...(deferrable
      ? [
          `${shareText(deferrable.share)} % of the requests may wait ${lengthText(deferrable.maxDelayMs)} for free slots, where their Workload takes such requests; they are on time when they begin within that, and the optimum is that without them.`,
        ]
      : []),
    ...(faults || model.faults.preemptionsMs.length > 0 ? ['Faults are injected as the model says.'] : []),
    `The optimum is a lower bound: no schedule with hindsight that keeps the promise costs less${isStrictBound ? '' : ' (for cold starts of mean length)'}.`,
  ];
}
