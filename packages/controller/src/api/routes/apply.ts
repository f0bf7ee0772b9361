import { z } from 'zod';
import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import { applyBatch, previewBatch, readBatch } from '../applyDocuments.ts';
import type { ApiContext } from '../context.ts';
import { documentBody } from '../documentBody.ts';
import { flagQuery } from '../parameters.ts';
import { applyAnswerSchema } from '../schemas.ts';

/** Several documents at once: all or nothing. */
export function applyRoutes(context: ApiContext): ApiRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: '/api/v1/apply',
      id: 'apply',
      summary: 'Create or change what documents describe',
      description:
        'The body is YAML (several documents) or JSON (one, or a `List`). All documents are checked first; when one is ' +
        'wrong, every problem is told and nothing is changed. The header `x-ebb-origin` names the file (percent-encoded ' +
        'absolute path) that relative directories are resolved against.',
      query: z.strictObject({ dryRun: flagQuery.meta({ description: 'Say what would change, change nothing.' }) }),
      body: { description: 'The documents.', contentTypes: documentBody.contentTypes },
      answers: { 200: { description: 'What became of each document.', schema: applyAnswerSchema } },
      errors: ['bad-request', 'conflict', 'invalid-documents', 'too-large', 'unsupported-media-type', 'stopping'],
      async handle({ query, request }) {
        const batch = readBatch(documentBody.read(request));
        if (query.dryRun) return previewBatch(context, batch);
        return (await applyBatch(context, batch)).answer;
      },
    }),
  ];
}
