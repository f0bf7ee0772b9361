import { isKindName, keyText, kindNames, type KindName, kindOf, type ObjectKey } from '@ebb/documents';
import { z } from 'zod';
import { type ApiRoute, apiRoute } from '../apiRoute.ts';
import { applyBatch, readBatch } from '../applyDocuments.ts';
import type { ApiContext } from '../context.ts';
import { ApiProblem } from '../errors.ts';
import { documentBody } from '../documentBody.ts';
import { objectView, statusOf } from '../objectView.ts';
import { clusterOnly, clusterQuery, keyOf, nameParam, namespaceParam } from '../parameters.ts';
import { objectListSchema, objectSchema } from '../schemas.ts';

const plurals = new Map<string, KindName>(kindNames.map((name) => [kindOf(name).plural.toLowerCase(), name]));

const kindParam = z.string().meta({ description: `One of ${[...plurals.keys()].join(', ')}.` });
const place = z.object({ namespace: namespaceParam, kind: kindParam, name: nameParam });

/** Objects as users write them: list, read, create or replace, delete. */
export function objectRoutes(context: ApiContext): ApiRoute[] {
  const { engine, store } = context;
  const path = '/api/v1/namespaces/{namespace}/{kind}';
  return [
    apiRoute({
      method: 'GET',
      path,
      id: 'listObjects',
      summary: 'Objects of a kind',
      description: 'Namespace `*`: of every namespace; cluster `*`: of every cluster.',
      params: z.object({ namespace: namespaceParam, kind: kindParam }),
      query: z.strictObject({ cluster: clusterQuery }),
      answers: { 200: { description: 'The objects, by namespace and name.', schema: objectListSchema } },
      errors: ['unknown-kind'],
      async handle({ params, query }) {
        const kind = kindNamed(params.kind);
        const all = await store.documents.list(kind);
        const items = all.filter(
          ({ key }) =>
            (kind === 'Cluster' || query.cluster === '*' || key.cluster === query.cluster) &&
            (params.namespace === '*' || key.namespace === params.namespace),
        );
        return {
          apiVersion: kindOf(kind).apiVersion,
          kind: `${kind}List`,
          items: items.map((stored) => objectView(stored, statusOf(engine, stored))),
        };
      },
    }),
    apiRoute({
      method: 'GET',
      path: `${path}/{name}`,
      id: 'readObject',
      summary: 'One object',
      params: place,
      query: clusterOnly,
      answers: { 200: { description: 'The object.', schema: objectSchema } },
      errors: ['not-found', 'unknown-kind'],
      async handle({ params, query }) {
        const kind = kindNamed(params.kind);
        const key = placeOf(kind, params, query);
        const stored = await store.documents.get(kind, key);
        if (!stored) throw new ApiProblem('not-found', `there is no ${kind} ${keyText(key)}`);
        return objectView(stored, statusOf(engine, stored));
      },
    }),
    apiRoute({
      method: 'PUT',
      path: `${path}/{name}`,
      id: 'putObject',
      summary: 'Create or replace one object',
      description:
        'An object as it was read may be sent back: fields of the server are left out. With `metadata.resourceVersion` ' +
        'the change is refused when the object was changed since; "0" means that there must be none yet.',
      params: place,
      body: { description: 'The document.', contentTypes: documentBody.contentTypes },
      answers: {
        200: { description: 'It was changed, or was so already.', schema: objectSchema },
        201: { description: 'It was created.', schema: objectSchema },
      },
      errors: ['bad-request', 'conflict', 'invalid-documents', 'invalid-parameter', 'unknown-kind', 'stopping'],
      async handle({ params, request, reply }) {
        const kind = kindNamed(params.kind);
        const { text, origin, resourceVersion } = documentBody.read(request);
        const batch = readBatch({ text, origin });
        const [document] = batch.documents;
        if (!document || batch.documents.length > 1)
          throw new ApiProblem('bad-request', 'the body must have one document');
        const named = `${document.kind} ${document.key.namespace}/${document.key.name}`;
        const wanted = `${kind} ${params.namespace}/${params.name}`;
        if (named !== wanted) throw new ApiProblem('bad-request', `the document is ${named}, the path says ${wanted}`);
        const expected = resourceVersion === null ? undefined : versionOf(resourceVersion);
        const { answer, stored } = await applyBatch(context, batch, expected);
        if (answer.outcomes[0]?.action === 'created') reply.code(201);
        const [object] = stored;
        if (!object) throw new ApiProblem('internal', 'nothing was stored');
        return objectView(object, statusOf(engine, object));
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: `${path}/{name}`,
      id: 'deleteObject',
      summary: 'Delete one object',
      description: 'Replicas of a workload are drained and ended; requests it holds are refused.',
      params: place,
      query: z.strictObject({
        cluster: clusterQuery,
        resourceVersion: z.string().optional().meta({ description: 'Refuse when the object was changed since.' }),
      }),
      answers: { 200: { description: 'The object as it was.', schema: objectSchema } },
      errors: ['conflict', 'not-found', 'invalid-parameter', 'unknown-kind', 'stopping'],
      async handle({ params, query }) {
        const kind = kindNamed(params.kind);
        const key = placeOf(kind, params, query);
        const expected = query.resourceVersion === undefined ? undefined : versionOf(query.resourceVersion);
        const removed = await engine.remove(kind, key, expected);
        if (!removed) throw new ApiProblem('not-found', `there is no ${kind} ${keyText(key)}`);
        return objectView(removed, null);
      },
    }),
  ];
}

/** The kind of a path segment: `workloads`, or the kind's own name. */
function kindNamed(segment: string): KindName {
  const found = plurals.get(segment.toLowerCase()) ?? (isKindName(segment) ? segment : undefined);
  if (found) return found;
  throw new ApiProblem('unknown-kind', `there is no kind "${segment}"; there are ${[...plurals.keys()].join(', ')}`);
}

/** A Cluster is its own place. */
function placeOf(kind: KindName, params: { namespace: string; name: string }, query: { cluster: string }): ObjectKey {
  return keyOf(params, kind === 'Cluster' ? { cluster: params.name } : query);
}

function versionOf(text: string): number {
  const version = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(version)) return version;
  throw new ApiProblem('invalid-parameter', `resourceVersion must be a number as it was read, found "${text}"`);
}
