import { type Clock, ProviderError } from '@ebb/core';
import { askHttp, type HttpAnswer, type HttpQuestion, retryAfterMs } from '../cloud/http.ts';
import { type Json, listAt, objectAt, textAt } from '../cloud/json.ts';
import { later } from '../cloud/waiting.ts';
import { errorOf, errorOfAnswer, isMissing } from './errors.ts';
import type { TokenSource } from './tokens.ts';

/** The version of the compute provider's API whose shapes are read here. */
const apiVersion = '2024-07-01';
const mostPages = 200;

export interface ArmApiOptions {
  subscription: string;
  resourceGroup: string;
  /** Without a slash at its end. */
  endpoint: string;
  token: TokenSource;
  clock: Clock;
  timeoutMs: number;
  /** How often an operation is asked for its end, where Azure does not say. */
  operationEveryMs: number;
}

export interface ArmRequest {
  query?: Readonly<Record<string, string>>;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** The Resource Manager for one resource group. Every failure is a `ProviderError`. */
export class ArmApi {
  readonly #options: ArmApiOptions;

  constructor(options: ArmApiOptions) {
    this.#options = options;
  }

  /** The id of a resource of the compute provider: `virtualMachines/a`. */
  idOf(path: string): string {
    const { subscription, resourceGroup } = this.#options;
    return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/${path}`;
  }

  /** `path` begins behind the compute provider: `virtualMachineScaleSets/gpu/virtualMachines`. */
  ask(method: HttpQuestion['method'], path: string, { query = {}, ...rest }: ArmRequest = {}): Promise<HttpAnswer> {
    const search = new URLSearchParams({ 'api-version': apiVersion, ...query });
    return this.#askUrl(method, `${this.#options.endpoint}${this.idOf(path)}?${search.toString()}`, rest);
  }

  /** What is there; null where there is nothing. */
  async find(path: string, query: Readonly<Record<string, string>> = {}): Promise<Json | null> {
    try {
      return objectAt((await this.ask('GET', path, { query })).body);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** All entries of a list; one that is not there is empty. */
  async list(path: string, query: Readonly<Record<string, string>> = {}): Promise<Json[]> {
    const found: Json[] = [];
    let page = await this.find(path, query);
    for (let count = 1; page !== null; count++) {
      found.push(...listAt(page, 'value').map((one) => objectAt(one)));
      const next = textAt(page, 'nextLink');
      if (next === null) break;
      if (count >= mostPages) throw new ProviderError('unavailable', `Azure: ${path} has too many pages`);
      page = objectAt((await this.#askUrl('GET', this.#own(next))).body);
    }
    return found;
  }

  /** Waits for what an answer has begun; false where it still goes on at the deadline. Throws what went wrong in it. */
  async finished(answer: HttpAnswer, untilMs: number): Promise<boolean> {
    const { clock, operationEveryMs } = this.#options;
    const where = answer.headers.get('azure-asyncoperation');
    if (where === null) return true;
    const url = this.#own(where);
    for (let last = answer; ; ) {
      if (clock.nowMs() >= untilMs) return false;
      await later(clock, retryAfterMs(last.headers, clock.nowMs()) ?? operationEveryMs);
      last = await this.#askUrl('GET', url);
      const status = textAt(last.body, 'status');
      if (status === 'Succeeded') return true;
      if (status === 'Failed' || status === 'Canceled') throw errorOf(objectAt(last.body, 'error'), 409);
    }
  }

  async #askUrl(
    method: HttpQuestion['method'],
    url: string,
    { body, headers = {} }: ArmRequest = {},
  ): Promise<HttpAnswer> {
    const { token, timeoutMs, clock } = this.#options;
    const authorised = { ...headers, authorization: `Bearer ${await token()}` };
    const sent = body === undefined ? {} : { body };
    const answer = await askHttp({ method, url, headers: authorised, timeoutMs, ...sent });
    if (answer.status >= 400) throw errorOfAnswer(answer, clock.nowMs());
    return answer;
  }

  /** An address that Azure gave; the token goes nowhere else. */
  #own(address: string): string {
    const { endpoint } = this.#options;
    if (address.startsWith(`${endpoint}/`)) return address;
    throw new ProviderError('unavailable', `Azure: points to another place than ${endpoint}`);
  }
}
