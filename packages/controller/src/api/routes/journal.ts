import { type JournalKind, journalKinds } from '@ebb/core';
import { defaultCluster, defaultNamespace } from '@ebb/documents';
import { z } from 'zod';
import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import type { ApiContext } from '../context.ts';
import { ApiProblem } from '../errors.ts';
import { countQuery, flagQuery } from '../parameters.ts';
import { journalSchema } from '../schemas.ts';

const mostRecords = 5_000;

/** What was read, decided and done. */
export function journalRoutes({ store }: ApiContext): ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/v1/journal',
      id: 'readJournal',
      summary: 'Records of the journal',
      query: z.strictObject({
        fromSequence: countQuery(0, Number.MAX_SAFE_INTEGER, 'Records from this sequence on.').optional(),
        workload: z.string().optional().meta({
          description: '`cluster/namespace/name`; the first parts may be left out where they are the defaults.',
        }),
        fromMs: countQuery(0, Number.MAX_SAFE_INTEGER, 'Records of this moment or later.').optional(),
        toMs: countQuery(0, Number.MAX_SAFE_INTEGER, 'Records of this moment or earlier.').optional(),
        kinds: z
          .string()
          .optional()
          .meta({ description: `Comma-separated: ${journalKinds.join(', ')}.` }),
        limit: countQuery(1, mostRecords, 'At most so many.').default(1_000),
        newestFirst: flagQuery.meta({ description: 'From the newest on.' }),
      }),
      answers: { 200: { description: 'Records in order.', schema: journalSchema } },
      errors: ['invalid-parameter'],
      async handle({ query }) {
        const { workload, kinds: wanted, fromSequence, fromMs, toMs, limit, newestFirst } = query;
        const items = await store.journal.read({
          ...(fromSequence === undefined ? {} : { fromSequence }),
          ...(fromMs === undefined ? {} : { fromMs }),
          ...(toMs === undefined ? {} : { toMs }),
          ...(workload === undefined ? {} : { workload: wholeKey(workload) }),
          ...(wanted === undefined ? {} : { kinds: wanted.split(',').map(journalKind) }),
          limit,
          newestFirst,
        });
        return { items };
      },
    }),
  ];
}

function wholeKey(text: string): string {
  const parts = text.split('/');
  return [defaultCluster, defaultNamespace]
    .slice(0, Math.max(0, 3 - parts.length))
    .concat(parts)
    .join('/');
}

function journalKind(text: string): JournalKind {
  const found = journalKinds.find((kind) => kind === text.trim());
  if (found) return found;
  throw new ApiProblem('invalid-parameter', `query parameter "kinds": "${text}" is none of ${journalKinds.join(', ')}`);
}
