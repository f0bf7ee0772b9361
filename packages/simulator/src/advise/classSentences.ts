import { costText, lengthText, threeDigits } from '../report/text.ts';
import { amountText, lateText, monthText } from './amounts.ts';
import type { Advice, ClassChoice, ClassesAdvice } from './advice.ts';

/** Which class to use, for the beginning of the headline; empty: there is one only. */
export function classPrefix({ classes }: Advice): string {
  if (!classes) return '';
  if (classes.best === null) return 'No class alone keeps the promise. ';
  if (classes.staysMixed) return 'Leave the classes as they are. ';
  return `Use class ${classes.best} alone. `;
}

/** The classes beside each other, at which price the answer flips, how sure it is, and what was assumed; empty: there is one only. */
export function classSentences(advice: Advice): string[] {
  const { classes } = advice;
  if (!classes) return [];
  return [...choiceText(advice, classes), ...flipText(classes), ...sureText(advice, classes), ...assumedText(classes)];
}

function choiceText({ unit, model }: Advice, { classes, mix, currency }: ClassesAdvice): string[] {
  const longer = `wait longer than ${lengthText(model.onTimeMs)}`;
  const cost = ({ microAMonth, candidate }: ClassChoice) =>
    microAMonth === null
      ? `${threeDigits(candidate.replicaHoursAMonth)} replica-hours a month`
      : `${amountText(microAMonth, 'micro', currency)} a month`;
  const missed = (qualifies: boolean) => (qualifies ? '' : ', more than promised');
  return [
    ...classes.map((one) => {
      const { name, candidate } = one;
      return `${name} alone costs ${cost(one)} at its best (${candidate.title}); ${lateText(1 - candidate.onTimeShare)} of the requests ${longer}${missed(candidate.qualifies)}.`;
    }),
    ...(mix
      ? [
          `All classes as documented cost ${monthText(mix, unit)}; ${lateText(1 - mix.onTimeShare)} of the requests ${longer}${missed(mix.qualifies)}.`,
        ]
      : []),
  ];
}

function flipText({ best, second, classes, currency }: ClassesAdvice): string[] {
  const [one, other] = [best, second].map((name) => classes.find((each) => each.name === name) ?? null);
  const outs = classes.filter(({ candidate }) => !candidate.qualifies).map(({ name }) => name);
  const out =
    best === null || outs.length === 0
      ? []
      : [`No price makes it ${outs.join(' or ')}: ${outs.length === 1 ? 'it misses' : 'they miss'} the promise alone.`];
  if (!one || !other) return out;
  const price = (micro: number) => `${costText(String(Math.round(micro)), currency)}`;
  if (one.breakEvenMicro === null || other.breakEvenMicro === null) {
    const ratio = other.candidate.replicaHoursAMonth / one.candidate.replicaHoursAMonth;
    return [
      `No class has a price (pricePerHour): ${one.name} is the cheaper one while an hour of it costs less than ${threeDigits(ratio)} × an hour of ${other.name}.`,
      ...out,
    ];
  }
  const others = classes.filter((each) => each !== one && each.breakEvenMicro !== null);
  return [
    `The answer flips where an hour of ${one.name} costs more than ${price(one.breakEvenMicro)} (now ${price(one.pricePerHourMicro)}), or where ${others.map((each) => `one of ${each.name} costs less than ${price(each.breakEvenMicro ?? 0)} (now ${price(each.pricePerHourMicro)})`).join(', or ')}.`,
    ...out,
  ];
}

function sureText({ blocks }: Advice, { best, confidence, staysMixed }: ClassesAdvice): string[] {
  if (best === null || staysMixed) return [];
  if (confidence === null) return ['How sure of the class: the trace is too short to say.'];
  const word = confidence >= 0.9 ? 'Sure' : confidence >= 0.6 ? 'Fairly sure' : 'Not sure';
  const parts = blocks.areDays ? `${blocks.count} days` : `${blocks.count} parts of ${lengthText(blocks.ms)}`;
  return [
    `${word} of the class: drawing the ${parts} anew, ${Math.round(confidence * 100)} of 100 times ${best} keeps the promise and nothing else that does is cheaper by 2 %.`,
  ];
}

function assumedText({ classes }: ClassesAdvice): string[] {
  const unknown = classes.filter(({ hasOwnService }) => !hasOwnService).map(({ name }) => name);
  if (unknown.length === 0) return [];
  const names = unknown.length === classes.length ? 'all classes' : unknown.join(' and ');
  const how = unknown.length === classes.length ? 'as long on all classes' : `on ${names} as long as --service says`;
  return [
    `Assumed: a service takes ${how}; --service ${unknown[0] ?? 'CLASS'}=TIME, or classes in the file of --model, say otherwise.`,
  ];
}
