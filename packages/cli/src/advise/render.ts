import {
  type Advice,
  adviceSentences,
  type Candidate,
  costText,
  hoursText,
  lengthText,
  shareText,
} from '@ebb/simulator';
import type { EbbContext } from '../context.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/width.ts';

/** The advice for a terminal: what to do first, then what it rests on. `scaling` is YAML to paste. */
export function adviceLines(context: EbbContext, advice: Advice, basis: string, scaling: string | null): string[] {
  const { bold, dim } = context.colors;
  const columns = Math.max(40, Math.min(context.stdout.columns ?? 100, 120));
  const words = adviceSentences(advice);
  const only = advice.classes && !advice.classes.staysMixed ? advice.classes.best : null;
  const list = (title: string, sentences: readonly string[]) => [
    '',
    dim(`  ${title}`),
    ...sentences.flatMap((sentence) => wrap(sentence, columns - 4).map((line) => `    ${line}`)),
  ];
  return [
    ...wrap(words.headline, columns).map((line) => bold(line)),
    ...(words.classes.length > 0 ? list('which class', words.classes) : []),
    ...list('what was recorded', words.facts),
    ...list('what was rehearsed', [
      `Cold start ${lengthText(advice.coldStartMs)} (${basis}); the promise: ${shareText(advice.model.onTimeShare)} % of the requests begin within ${lengthText(advice.model.onTimeMs)}; a replica works on ${advice.model.concurrency} at once.`,
    ]),
    ...candidateTable(advice).map((line, index) => (index === 0 ? dim(`    ${line}`) : `    ${line}`)),
    ...list('money', words.money),
    ...list('how sure', words.sure),
    ...(scaling === null
      ? []
      : [
          '',
          dim(`  to paste into the Workload${only === null ? '' : `, with ${only} as its only class`}`),
          ...scaling
            .trimEnd()
            .split('\n')
            .map((line) => `  ${line}`),
        ]),
  ];
}

function candidateTable({ candidates, chosen, unit }: Advice): string[] {
  const byCost = [...candidates].sort((a, b) => a.replicaSeconds - b.replicaSeconds);
  return table(
    [
      { title: '', value: (one: Candidate) => (one === chosen ? '>' : '') },
      { title: 'candidate', value: ({ title }: Candidate) => title },
      { title: 'promise', value: ({ qualifies }: Candidate) => (qualifies ? 'kept' : 'missed') },
      { title: 'on time', align: 'right', value: ({ onTimeShare }: Candidate) => `${shareText(onTimeShare)} %` },
      { title: 'late', align: 'right', value: ({ late }: Candidate) => late.toLocaleString('en') },
      { title: 'wait p99', align: 'right', value: ({ waitMs }: Candidate) => lengthText(waitMs.p99) },
      { title: 'cold starts', align: 'right', value: ({ coldStarts }: Candidate) => coldStarts.toLocaleString('en') },
      {
        title: 'a month',
        align: 'right',
        value: ({ microAMonth, currency, replicaHoursAMonth }: Candidate) =>
          unit === 'micro' && microAMonth !== null
            ? costText(String(Math.round(microAMonth)), currency)
            : hoursText(replicaHoursAMonth * 3600),
      },
    ],
    byCost,
  );
}
