import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiProblem } from './errors.ts';
import { withoutServerFields } from './objectView.ts';

const maxBodyBytes = 4 * 1024 * 1024;
const longestOrigin = 4_096;
const jsonTypes = ['application/json'];
const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml'];

interface DocumentRequest {
  text: string;
  origin: string | null;
  /** Of a single JSON object that names one. */
  resourceVersion: string | null;
}

/** Bodies that are documents: text as it came, so that problems are told at their own line and column. */
export const documentBody = {
  contentTypes: [...jsonTypes, ...yamlTypes],

  install(app: FastifyInstance): void {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser<string>(
      this.contentTypes,
      { parseAs: 'string', bodyLimit: maxBodyBytes },
      (_request, body, done) => done(null, body),
    );
  },

  read(request: FastifyRequest): DocumentRequest {
    const { body } = request;
    if (typeof body !== 'string') throw new ApiProblem('bad-request', 'the body has no document');
    const origin = readOrigin(request.headers['x-ebb-origin']);
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (!jsonTypes.includes(type)) return { text: body, origin, resourceVersion: null };
    const value = parseJson(body);
    const { document, resourceVersion } = withoutServerFields(value);
    return { text: document === value ? body : JSON.stringify(document, null, 2), origin, resourceVersion };
  },
};

/** The value, or undefined for text that is not JSON: the documents' own reader says where it is wrong. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Percent-encoded, because paths may hold any character and headers may not. */
function readOrigin(header: string | string[] | undefined): string | null {
  if (typeof header !== 'string' || header === '') return null;
  try {
    const origin = decodeURIComponent(header);
    if (origin.length <= longestOrigin && !/\p{Cc}/u.test(origin)) return origin;
  } catch {
    // Told below.
  }
  throw new ApiProblem('bad-request', 'x-ebb-origin must be a percent-encoded path');
}
