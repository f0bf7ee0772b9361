import { z } from 'zod';
import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import type { ApiContext } from '../context.ts';
import { ApiProblem } from '../errors.ts';
import { countQuery } from '../parameters.ts';
import { watchEventSchema } from '../schemas.ts';
import type { StreamLimit } from '../streamLimit.ts';
import { WatchStream } from '../watchStream.ts';

/** Every change as it happens. */
export function watchRoutes({ ring, clock, engine }: ApiContext, streams: StreamLimit): ApiRoute[] {
  const since = countQuery(0, Number.MAX_SAFE_INTEGER, 'Resume after the event of this sequence.').optional();
  return [
    apiRoute({
      method: 'GET',
      path: '/api/v1/watch',
      id: 'watch',
      summary: 'Changes as they happen',
      description:
        'Without `since` (or, for server-sent events, `Last-Event-ID`) the stream begins with the status of every ' +
        'workload. A heartbeat ends that opening, or what was missed, and comes again every ten seconds; its sequence is ' +
        'one to resume from. `Accept: text/event-stream` gives server-sent events, anything else one JSON object a line.',
      query: z.strictObject({ since }),
      answers: {
        200: {
          description: 'Events in order.',
          schema: watchEventSchema,
          contentTypes: ['application/x-ndjson', 'text/event-stream'],
        },
      },
      errors: ['invalid-parameter', 'watch-expired', 'too-many-streams'],
      async handle({ query, request, reply }) {
        const wantsEvents = (request.headers.accept ?? '').includes('text/event-stream');
        const from = query.since ?? lastEventId(request.headers['last-event-id']);
        if (from !== null && !ring.reaches(from)) {
          throw new ApiProblem('watch-expired', `events after ${from} are no longer kept; begin again without since`);
        }
        reply.type(wantsEvents ? 'text/event-stream' : 'application/x-ndjson').header('x-accel-buffering', 'no');
        return streams.admit(
          () =>
            new WatchStream({
              ring,
              format: wantsEvents ? 'sse' : 'ndjson',
              since: from,
              nowMs: () => clock.nowMs(),
              opening: () =>
                [
                  ...engine.statuses().map((status) => ({ type: 'status' as const, status })),
                  ...engine.scaledJobs().map((status) => ({ type: 'jobs' as const, status })),
                ].map((shown) => ({
                  sequence: ring.newest,
                  type: shown.type,
                  json: JSON.stringify({ sequence: ring.newest, at: clock.nowMs(), ...shown }),
                })),
            }),
        );
      },
    }),
  ];
}

function lastEventId(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string' || !/^\d{1,16}$/.test(header)) return null;
  return Number(header);
}
