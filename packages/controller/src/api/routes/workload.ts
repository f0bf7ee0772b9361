import { keyText, type ObjectKey } from '@ebb/documents';
import { z } from 'zod';
import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import type { ApiContext } from '../context.ts';
import { ApiProblem } from '../errors.ts';
import { lineStream } from '../lineStream.ts';
import { clusterOnly, clusterQuery, countQuery, flagQuery, keyOf, objectParams } from '../parameters.ts';
import { explanationSchema, logLineSchema, recommendationSchema, workloadStatusSchema } from '../schemas.ts';
import type { StreamLimit } from '../streamLimit.ts';

const mostLines = 10_000;

/** One workload: its status, why it has the replicas it has, what they should ask for, and what they wrote. */
export function workloadRoutes({ engine, logs }: ApiContext, streams: StreamLimit): ApiRoute[] {
  const path = '/api/v1/namespaces/{namespace}/workloads/{name}';
  return [
    apiRoute({
      method: 'GET',
      path: `${path}/status`,
      id: 'readWorkloadStatus',
      summary: 'What a workload has and does',
      params: objectParams,
      query: clusterOnly,
      answers: { 200: { description: 'Its status.', schema: workloadStatusSchema } },
      errors: ['not-found'],
      async handle({ params, query }) {
        const key = keyOf(params, query);
        return engine.status(key) ?? missing(key);
      },
    }),
    apiRoute({
      method: 'GET',
      path: `${path}/explain`,
      id: 'explainWorkload',
      summary: 'Why a workload has the replicas it has',
      params: objectParams,
      query: z.strictObject({
        cluster: clusterQuery,
        at: countQuery(
          0,
          8_640_000_000_000_000,
          'Moment to explain, milliseconds of wall time; left out: now.',
        ).optional(),
      }),
      answers: { 200: { description: 'The decision in force then, step by step.', schema: explanationSchema } },
      errors: ['not-found', 'invalid-parameter'],
      async handle({ params, query }) {
        const key = keyOf(params, query);
        // The journal knows workloads that are deleted by now.
        return (await engine.explain(key, query.at)) ?? missing(key);
      },
    }),
    apiRoute({
      method: 'GET',
      path: `${path}/recommendation`,
      id: 'recommendResources',
      summary: "What a workload's classes should ask for, from what their replicas used",
      params: objectParams,
      query: clusterOnly,
      answers: {
        200: { description: 'CPU and memory by class, with bounds and reasons.', schema: recommendationSchema },
      },
      errors: ['not-found'],
      async handle({ params, query }) {
        const key = keyOf(params, query);
        return engine.recommendation(key) ?? missing(key);
      },
    }),
    apiRoute({
      method: 'GET',
      path: `${path}/logs`,
      id: 'readLogs',
      summary: "What a workload's replicas, or a ScaledJob's Jobs, wrote",
      description: 'One JSON object a line. With `follow` the answer goes on with what comes.',
      params: objectParams,
      query: z.strictObject({
        cluster: clusterQuery,
        tail: countQuery(0, mostLines, 'Lines back.').default(100),
        follow: flagQuery.meta({ description: 'Go on with what comes.' }),
        replica: z.string().min(1).max(200).optional().meta({ description: 'Only of this replica.' }),
      }),
      answers: {
        200: { description: 'Lines, oldest first.', schema: logLineSchema, contentTypes: ['application/x-ndjson'] },
      },
      errors: ['not-found', 'invalid-parameter', 'agent-unavailable', 'too-many-streams'],
      async handle({ params, query, reply }) {
        const key = keyOf(params, query);
        if (!engine.status(key) && !engine.scaledJob(key)) missing(key);
        const { tail, follow, replica } = query;
        const lines = logs({ workload: key, tailLines: tail, follow, ...(replica === undefined ? {} : { replica }) });
        reply.type('application/x-ndjson');
        return streams.admit(() => lineStream(lines));
      },
    }),
  ];
}

function missing(key: ObjectKey): never {
  throw new ApiProblem('not-found', `there is no Workload ${keyText(key)}`);
}
