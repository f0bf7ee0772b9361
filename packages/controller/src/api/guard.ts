import type { FastifyReply, FastifyRequest } from 'fastify';
import { sameToken } from '../ownerToken.ts';
import { ApiProblem } from './errors.ts';

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface GuardOptions {
  token: string;
  /** Paths that need no token. They say nothing of what runs. */
  openPaths: ReadonlySet<string>;
}

/**
 * Who may ask: the right `Host` (a page elsewhere may have pointed its own name at 127.0.0.1), no other site behind the
 * browser, and the owner's token. There is no CORS: no other origin is ever let in.
 */
export function guard({ token, openPaths }: GuardOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { host = '', origin, authorization = '' } = request.headers;
    if (!loopbackNames.has(nameOf(host))) {
      throw new ApiProblem(
        'forbidden-host',
        `the API answers to localhost and 127.0.0.1, not to "${host.slice(0, 100)}"`,
      );
    }
    if (origin !== undefined && origin !== `http://${host}`) {
      throw new ApiProblem('forbidden-origin', `pages of ${origin.slice(0, 100)} may not use this API`);
    }
    if (openPaths.has(pathOf(request.url))) return;
    const given = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (given !== undefined && sameToken(given, token)) return;
    reply.header('www-authenticate', 'Bearer realm="ebb"');
    throw new ApiProblem(
      'unauthorized',
      given === undefined
        ? "send the owner's token (the file `token` in the data folder) as `Authorization: Bearer …`"
        : "this is not the owner's token: the file `token` in the data folder has it",
    );
  };
}

/** Name of a `Host` header, without the port. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
