import type { Problem } from '@ebb/documents';

/** Every code the API answers with: its status, its title and when it comes. `errors.md` is checked against it. */
export const apiErrors = {
  'bad-request': [400, 'Request is malformed', 'The body or its encoding cannot be read.'],
  'invalid-parameter': [
    400,
    'Parameter is not valid',
    'A path or query parameter has a value that is not allowed; `detail` names it.',
  ],
  unauthorized: [
    401,
    'Token is missing or wrong',
    "The request carries no `Authorization: Bearer` header, or another token than the owner's.",
  ],
  'forbidden-host': [
    403,
    'Host is not this machine',
    'The `Host` header names neither `localhost` nor a loopback address: a page on another site may be behind it.',
  ],
  'forbidden-origin': [
    403,
    'Origin is another site',
    'A browser sent the request on behalf of a page that the control plane did not serve.',
  ],
  'not-found': [404, 'Object does not exist', 'There is no such object in that namespace.'],
  'unknown-route': [404, 'Nothing is served here', 'No route of the API has this method and path.'],
  'unknown-kind': [
    404,
    'Kind does not exist',
    'The path names a kind of object that there is not; `detail` lists those that there are.',
  ],
  conflict: [
    409,
    'Object was changed meanwhile',
    'The resourceVersion that was sent is not the present one: read the object again and repeat the change.',
  ],
  'watch-expired': [
    410,
    'Events are no longer there',
    'The stream cannot be resumed from that sequence: begin again without `since`.',
  ],
  'too-large': [413, 'Body is too large', 'Documents of one request may have 4 MiB.'],
  'unsupported-media-type': [
    415,
    'Content type is not read here',
    'Documents come as `application/yaml` or `application/json`.',
  ],
  'invalid-documents': [
    422,
    'Documents are refused',
    'Nothing was changed; `problems` says what is wrong, with file, line and column.',
  ],
  'too-many-streams': [
    429,
    'Too many open streams',
    'As many watches and followed logs are open as are allowed at once.',
  ],
  internal: [500, 'Unexpected error', "The control plane's log says more."],
  'store-failed': [500, 'Store failed', 'The database cannot be read or written; `detail` names the file.'],
  'replaced-leader': [
    503,
    'Another control plane took over',
    'A newer control plane writes to the same store; ask that one.',
  ],
  'agent-unavailable': [503, 'Agent is away', 'The agent process is being started again; ask again in a moment.'],
  'gateway-unavailable': [503, 'Gateway is away', 'The gateway process is being started again; ask again in a moment.'],
  starting: [503, 'Control plane is starting', 'It has not taken over what runs yet; ask again in a moment.'],
  stopping: [503, 'Control plane is stopping', 'It was asked to stop and takes no more changes.'],
} as const satisfies Record<string, readonly [status: number, title: string, when: string]>;

export type ApiErrorCode = keyof typeof apiErrors;

/** Thrown anywhere behind a route; becomes the answer. */
export class ApiProblem extends Error {
  readonly code: ApiErrorCode;
  readonly problems: Problem[] | undefined;

  constructor(code: ApiErrorCode, detail: string, options: { problems?: Problem[]; cause?: unknown } = {}) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.problems = options.problems;
  }

  get status(): number {
    return apiErrors[this.code][0];
  }
}

/** RFC 9457 body. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ApiErrorCode;
  problems?: Problem[];
}

export function problemBody({ code, message, problems }: ApiProblem): ProblemBody {
  const [status, title] = apiErrors[code];
  return { type: `urn:ebb:problem:${code}`, title, status, detail: message, code, ...(problems ? { problems } : {}) };
}

/** The reference page of the codes. */
export function errorPage(): string {
  const sections = Object.entries(apiErrors).map(
    ([code, [status, title, when]]) => `## \`${code}\`\n\nStatus ${status}. ${title}.\n\n${when}\n`,
  );
  return [
    '# Errors of the API\n',
    'Every answer that is not 2xx is an RFC 9457 body (`application/problem+json`) with `title`, `detail` and a stable `code`.\n',
    ...sections,
  ].join('\n');
}
