import { formatDuration } from '@ebb/documents';
import { lengthText, shareText, threeDigits } from '../report/text.ts';
import type { Advice, Candidate, Sure } from './advice.ts';
import { amountOf, amountText, lateText, monthText } from './amounts.ts';
import { classPrefix, classSentences } from './classSentences.ts';

const weekMs = 7 * 86_400_000;

export interface AdviceText {
  /** What to do, in a sentence. */
  headline: string;
  /** Which class to use; empty: there is one only. */
  classes: string[];
  facts: string[];
  money: string[];
  sure: string[];
}

/** The advice in words; every figure says what it rests on. */
export function adviceSentences(advice: Advice): AdviceText {
  return {
    headline: classPrefix(advice) + headline(advice),
    classes: classSentences(advice),
    facts: facts(advice),
    money: money(advice),
    sure: sure(advice),
  };
}

function headline(advice: Advice): string {
  const { verdict, chosen, facts: about, model } = advice;
  const late = `${lateText(1 - chosen.onTimeShare)} of the requests wait longer than ${lengthText(model.onTimeMs)}`;
  const saving = savingText(advice);
  if (verdict === 'scale-to-zero') {
    const idle = `${whole(about.idleShare)} of the time nobody is here`;
    const done = chosen.keepAliveMs === null ? 'your document does it well as it is' : keepText(chosen);
    return `Scale to zero: ${idle}; ${done}; ${saving}; ${late}.`;
  }
  const why = whyText(advice);
  const what =
    chosen.minReplicas === null
      ? 'leave the document as it is'
      : verdict === 'always-on'
        ? `leave ${countText(chosen.minReplicas)} on all the time`
        : keepText(chosen);
  return `${why}; ${what}; ${saving}; ${late}.`;
}

function whyText({
  whyNotZero,
  zero,
  chosen,
  facts: { gaps, idleShareLonger },
  coldStartMs,
  model,
  unit,
}: Advice): string {
  const start = lengthText(coldStartMs);
  switch (whyNotZero) {
    case 'no-gaps':
      return 'Not worth it to scale to zero: there is always somebody here';
    case 'short-gaps':
      return `Not worth it to scale to zero: gaps are shorter than the cold start (median gap ${lengthText(gaps.p50Ms)}, start ${start})`;
    case 'too-late': {
      const late = zero ? lateText(1 - zero.onTimeShare) : '–';
      const saved = zero ? amountOf(chosen, unit) - amountOf(zero, unit) : 0;
      return `Do not scale to zero: it would save another ${amountText(saved, unit, chosen.currency)} a month, but ${late} of the requests would wait longer than ${lengthText(model.onTimeMs)} (promised: at most ${lateText(1 - model.onTimeShare)})`;
    }
    default:
      return `Not worth it to scale to zero: gaps longer than the cold start of ${start} are ${whole(idleShareLonger[0]?.share ?? 0)} of the time, too little to pay for the starts`;
  }
}

function keepText({ minReplicas, keepAliveMs }: Candidate): string {
  const kept = `keep ${minReplicas ? 'each further replica' : 'a replica'} ${formatDuration(keepAliveMs ?? 0)} after it was last needed`;
  return minReplicas ? `keep at least ${countText(minReplicas)}, and ${kept}` : kept;
}

function savingText({ savesAgainstAlwaysOn, unit, alwaysOn, chosen }: Advice): string {
  if (chosen === alwaysOn) return `it costs ${monthText(chosen, unit)}`;
  const against = `${countText(alwaysOn.minReplicas ?? 0)} that always ${alwaysOn.minReplicas === 1 ? 'runs' : 'run'}`;
  return `saves about ${sureText(savesAgainstAlwaysOn, unit, chosen.currency)} a month against ${against}`;
}

function facts({ facts: about, coldStartMs, trace }: Advice): string[] {
  const { requests, requestsPerDay, spanMs, workloads, idleShare, idleShareLonger, gaps, longerGaps } = about;
  const longer = idleShareLonger.flatMap(({ thanMs, share }, index) => {
    if (index > 0 && (share === 0 || thanMs === coldStartMs)) return [];
    const length = index === 0 ? `the cold start (${lengthText(thanMs)})` : lengthText(thanMs).replace(/\.0+ /, ' ');
    return `${whole(share)} in gaps longer than ${length}`;
  });
  return [
    `${Math.round(requestsPerDay).toLocaleString('en')} requests a day: ${requests.toLocaleString('en')} in ${lengthText(spanMs)}${workloads > 1 ? `, of ${workloads} workloads` : ''} (${trace}).`,
    `Nobody is here ${whole(idleShare)} of the time, if nobody has to wait: ${longer.join(', ')}.`,
    gaps.count === 0
      ? 'There are no gaps.'
      : `${gaps.count.toLocaleString('en')} gaps: half are shorter than ${lengthText(gaps.p50Ms)}, 9 of 10 than ${lengthText(gaps.p90Ms)}, the longest is ${lengthText(gaps.mostMs)}; ${whole(longerGaps)} of them are longer than the cold start.`,
  ];
}

function money(advice: Advice): string[] {
  const {
    chosen,
    present,
    savesAgainstPresent,
    unit,
    breakEvenMs,
    latePerColdStart,
    coldStartMs,
    staticPeak,
    alwaysOn,
  } = advice;
  const start = lengthText(coldStartMs);
  return [
    `${staticPeak} is the fewest constant count that keeps the promise on this trace: ${monthText(alwaysOn, unit)}.`,
    ...(chosen === alwaysOn
      ? []
      : [`The advice (${chosen.policy}) costs ${monthText(chosen, unit)}, rehearsed on the whole trace.`]),
    ...(present && savesAgainstPresent && present !== chosen
      ? [presentText(advice, present, savesAgainstPresent)]
      : []),
    `A cold start makes ${threeDigits(latePerColdStart)} requests late (measured with a keep-alive of ${start}); at two cold starts a late request, keeping pays up to ${lengthText(breakEvenMs)}.`,
  ];
}

function presentText({ unit, chosen, model }: Advice, present: Candidate, saves: Sure): string {
  const cost = `Your document costs ${monthText(present, unit)}`;
  const saved = sureText({ ...saves, value: Math.abs(saves.value) }, unit, chosen.currency);
  const against = saves.value >= 0 ? `the advice saves ${saved}` : `the advice costs ${saved} more`;
  const late = `${lateText(1 - present.onTimeShare)} of its requests wait longer than ${lengthText(model.onTimeMs)}`;
  return present.qualifies ? `${cost}; ${against}; ${late}.` : `${cost}; ${against}; ${late}, more than promised.`;
}

function sure({
  facts: facts_,
  confidence,
  blocks,
  lateShare,
  savesAgainstAlwaysOn,
  unit,
  chosen,
  alwaysOn,
  model,
}: Advice): string[] {
  const parts = blocks.areDays ? `${blocks.count} days` : `${blocks.count} parts of ${lengthText(blocks.ms)}`;
  if (confidence === null)
    return ['How sure: the trace is too short to say; half an hour is the least, a week is good.'];
  const word = confidence >= 0.9 ? 'Sure' : confidence >= 0.6 ? 'Fairly sure' : 'Not sure';
  const { spread } = lateShare;
  const short = facts_.spanMs < weekMs * 0.9;
  const money_ = savesAgainstAlwaysOn.spread;
  return [
    `${word}: drawing the ${parts} anew, ${Math.round(confidence * 100)} of 100 times it keeps the promise (${shareText(model.onTimeShare)} % within ${lengthText(model.onTimeMs)}) and nothing rehearsed is cheaper by 2 %.`,
    ...(spread
      ? [
          `Late requests: ${lateText(lateShare.value)}, in 9 of 10 draws between ${lateText(spread.low)} and ${lateText(spread.high)}.`,
        ]
      : []),
    ...(money_ && chosen !== alwaysOn
      ? [
          `Saved a month: in 9 of 10 draws between ${amountText(money_.low, unit, chosen.currency)} and ${amountText(money_.high, unit, chosen.currency)}.`,
        ]
      : []),
    ...(short ? [`That is of ${lengthText(facts_.spanMs)} only: other hours and days may be different.`] : []),
  ];
}

/** `$310 (±40)` */
function sureText({ value, spread }: Sure, unit: Advice['unit'], currency: string | null): string {
  const half = spread ? (spread.high - spread.low) / 2 : null;
  const more = half === null ? '' : ` (±${amountText(half, unit, currency).replace(/[^\d.,–-]/g, '')})`;
  return `${amountText(value, unit, currency)}${more}`;
}

const whole = (share: number) => {
  const percent = share * 100;
  return percent > 0 && percent < 1 ? 'less than 1 %' : `${Math.round(percent)} %`;
};
const countText = (count: number) => `${count} ${count === 1 ? 'replica' : 'replicas'}`;
