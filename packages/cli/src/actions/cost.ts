import type { CostGrouping } from '@ebb/documents';
import type { CostFlags } from '../commands/cost.ts';
import type { EbbContext } from '../context.ts';
import { costCsv } from '../cost/csv.ts';
import { costLines } from '../cost/render.ts';
import { Failure } from '../failure.ts';
import { openSession } from '../session.ts';
import { didYouMean } from '../suggest.ts';
import { parseMoment } from '../timeArgument.ts';

const groupings = ['workload', 'class', 'pool', 'node'] as const;

export async function cost(context: EbbContext, flags: CostFlags): Promise<undefined> {
  if (flags.csv && flags.json) throw new Failure('usage', '--csv and --json cannot be had at once.');
  const nowMs = Date.now();
  const fromMs = parseMoment(flags.since ?? '7d', nowMs);
  const toMs = flags.until === undefined ? undefined : parseMoment(flags.until, nowMs);
  if (fromMs > (toMs ?? nowMs)) throw new Failure('usage', '--since is later than --until.');
  const by = groupingOf(flags.by ?? 'workload');
  const { client } = await openSession(context, flags);
  const report = await client.cost({
    fromMs,
    by,
    ...(toMs === undefined ? {} : { toMs }),
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
  });
  if (flags.json) context.json(report);
  else if (flags.csv) context.stdout.write(costCsv(report));
  else context.out(...costLines(report, context.colors));
}

function groupingOf(text: string): CostGrouping {
  const found = groupings.find((one) => one === text);
  if (found) return found;
  const key = /^label:(.+)$/.exec(text)?.[1];
  if (key !== undefined) return `label:${key}`;
  throw new Failure('usage', `--by "${text}" is no group.${didYouMean(text, groupings)}`, [
    `it is one of ${groupings.join(', ')} or label:KEY, such as label:team`,
  ]);
}
