import { type Clock, ProviderError } from '@ebb/core';
import { askHttp, type HttpQuestion } from '../cloud/http.ts';
import { type Json, listAt, objectAt, textAt } from '../cloud/json.ts';
import { later } from '../cloud/waiting.ts';
import { ComputeError, errorOfAnswer, errorOfOperation } from './errors.ts';

/** A bearer token that is good now. */
export type TokenSource = () => Promise<string>;

export interface ComputeApiOptions {
  project: string;
  /** Without a slash at its end. */
  endpoint: string;
  token: TokenSource;
  clock: Clock;
  timeoutMs: number;
  /** How often an operation is asked for its end. */
  operationEveryMs: number;
}

/** Most pages of one list: 500 entries each. */
const mostPages = 200;

/** The Compute API (v1) of one project. Every failure is a `ProviderError`. */
export class ComputeApi {
  readonly #options: ComputeApiOptions;

  constructor(options: ComputeApiOptions) {
    this.#options = options;
  }

  get project(): string {
    return this.#options.project;
  }

  /** `path` begins behind the project: `zones/europe-west4-a/instances`. */
  async ask(
    method: HttpQuestion['method'],
    path: string,
    query: Readonly<Record<string, string>> = {},
    body?: unknown,
  ): Promise<Json> {
    const { project, endpoint, token, timeoutMs, clock } = this.#options;
    const search = new URLSearchParams(query).toString();
    const url = `${endpoint}/compute/v1/projects/${project}/${path}${search === '' ? '' : `?${search}`}`;
    const headers = { authorization: `Bearer ${await token()}` };
    const answer = await askHttp({ method, url, headers, timeoutMs, ...(body === undefined ? {} : { body }) });
    if (answer.status >= 400) throw errorOfAnswer(answer, clock.nowMs());
    return objectAt(answer.body);
  }

  /** The same; null where there is no such thing. */
  async find(method: HttpQuestion['method'], path: string): Promise<Json | null> {
    try {
      return await this.ask(method, path);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** All pages of a list; `POST` where the API wants that. */
  async pages(
    path: string,
    query: Readonly<Record<string, string>> = {},
    method: 'GET' | 'POST' = 'GET',
  ): Promise<Json[]> {
    const pages: Json[] = [];
    let pageToken: string | null = null;
    do {
      const page: Json = await this.ask(method, path, { ...query, ...(pageToken === null ? {} : { pageToken }) });
      pages.push(page);
      pageToken = textAt(page, 'nextPageToken');
    } while (pageToken !== null && pages.length < mostPages);
    if (pageToken !== null) throw new ProviderError('unavailable', `Google Cloud: ${path} has too many pages`);
    return pages;
  }

  /** Instances of all zones that the filter lets through. A zone that does not answer makes it fail: silence is no absence. */
  async instances(filter: string): Promise<Json[]> {
    const pages = await this.pages('aggregated/instances', { filter, maxResults: '500' });
    const unreachable = pages.flatMap((page) => listAt(page, 'unreachables'));
    if (unreachable.length > 0) {
      throw new ProviderError('unavailable', `Google Cloud: ${unreachable.join(', ')} cannot be reached`);
    }
    return pages
      .flatMap((page) => Object.values(objectAt(page, 'items')))
      .flatMap((scope) => listAt(scope, 'instances'))
      .map((instance) => objectAt(instance));
  }

  /** What the operations that the filter lets through were done to, in all zones. */
  async targets(filter: string): Promise<string[]> {
    const pages = await this.pages('aggregated/operations', { filter, maxResults: '500' });
    return pages
      .flatMap((page) => Object.values(objectAt(page, 'items')))
      .flatMap((scope) => listAt(scope, 'operations'))
      .flatMap((operation) => textAt(operation, 'targetLink') ?? []);
  }

  /** Waits for a zonal operation; false where it still runs at the deadline. Throws what went wrong in it. */
  async finished(zone: string, operation: Json, untilMs: number): Promise<boolean> {
    const { clock, operationEveryMs } = this.#options;
    let now = operation;
    while (textAt(now, 'status') !== 'DONE') {
      const name = textAt(now, 'name');
      if (name === null) throw new ProviderError('unavailable', 'Google Cloud: an operation without a name');
      if (clock.nowMs() >= untilMs) return false;
      await later(clock, operationEveryMs);
      now = await this.ask('GET', `zones/${zone}/operations/${name}`);
    }
    const error = errorOfOperation(now);
    if (error !== null) throw error;
    return true;
  }
}

/** The thing that was asked for is not there. */
export function isMissing(error: unknown): boolean {
  return hasReason(error, /^(notFound|RESOURCE_NOT_FOUND|NOT_FOUND)$/);
}

/** There is one of that name already. */
export function isDuplicate(error: unknown): boolean {
  return hasReason(error, /^(alreadyExists|RESOURCE_ALREADY_EXISTS|ALREADY_EXISTS)$/);
}

function hasReason(error: unknown, pattern: RegExp): boolean {
  return error instanceof ComputeError && error.reasons.some((reason) => pattern.test(reason));
}
