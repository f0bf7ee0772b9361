import type { CostGrouping } from '@ebb/documents';
import { z } from 'zod';
import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import type { ApiContext } from '../context.ts';
import { ApiProblem } from '../errors.ts';
import { countQuery, namespaceParam } from '../parameters.ts';
import { costReportSchema } from '../schemas.ts';

const groupings = ['workload', 'class', 'pool', 'node'] as const;
const labelKey = /^label:[A-Za-z0-9]([-A-Za-z0-9_./]{0,251}[A-Za-z0-9])?$/;
const latestMs = 8_640_000_000_000_000;

/** What was paid for what. */
export function costRoutes({ engine }: ApiContext): ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/v1/cost',
      id: 'readCost',
      summary: 'What was paid in a span, by workload, class, pool, node or label',
      description:
        "Sums are exact: the groups of a currency add up to its total, to the micro-unit. With the calendar month's forecast and budgets.",
      query: z.strictObject({
        fromMs: countQuery(0, latestMs, 'Begin of the span, milliseconds of wall time.').default(0),
        toMs: countQuery(0, latestMs, 'End of the span; left out, or later than now: now.').default(latestMs),
        by: z
          .string()
          .default('workload')
          .meta({ description: `One of ${groupings.join(', ')}, or label:KEY.` }),
        namespace: namespaceParam.optional(),
      }),
      answers: { 200: { description: 'The costs.', schema: costReportSchema } },
      errors: ['invalid-parameter'],
      async handle({ query: { fromMs, toMs, by, namespace } }) {
        if (fromMs > toMs) {
          throw new ApiProblem('invalid-parameter', `query parameter "fromMs": ${fromMs} is later than toMs ${toMs}`);
        }
        return engine.cost({ fromMs, toMs, by: groupingOf(by), namespace: namespace ?? null });
      },
    }),
  ];
}

function groupingOf(text: string): CostGrouping {
  const found = groupings.find((one) => one === text);
  if (found) return found;
  if (labelKey.test(text)) return `label:${text.slice('label:'.length)}`;
  const allowed = `${groupings.join(', ')} or label:KEY`;
  throw new ApiProblem('invalid-parameter', `query parameter "by": "${text}" is none of ${allowed}`);
}
