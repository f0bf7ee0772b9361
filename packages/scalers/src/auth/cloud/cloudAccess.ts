import { SourceError } from '../../contract/errors.ts';
import { type HttpAnswer, type HttpClient, type HttpRequest, place } from '../../runtime/http.ts';
import type { AnswerCache } from '../answerCache.ts';

/** What signing in to a cloud needs of this machine. */
export interface CloudAccess {
  /** Ebb's own environment, for what sign-ins to vaults and clouds take from there (`VAULT_TOKEN`, `AWS_…`). */
  ownEnv(name: string): string | undefined;
  /** A file of this machine as text. Rejects as `node:fs` does. */
  readFile(path: string): Promise<string>;
  http: HttpClient;
  /** Tokens and answers of vaults, kept for a bounded time. One for all triggers. */
  cache: AnswerCache;
  /** Wall time, which signatures name. */
  wallNowMs(): number;
}

/** A token that is fetched when it is needed and kept until shortly before it ends. */
export interface CloudToken {
  /** Whose it is and for what, without a secret: for what is shared by identity. */
  readonly key: string;
  /** Rejects with `SourceError`. */
  get(signal: AbortSignal): Promise<string>;
  /** Says that it was refused: the next `get` fetches another one. */
  drop(token: string): void;
  close(): Promise<void>;
}

interface FetchedToken {
  token: string;
  /** 0: not said. */
  lifetimeMs: number;
}

const unsaidLifetimeMs = 300_000;
/** Tokens are fetched anew in the last tenth of their life, and this long before its end at most. */
const longestMarginMs = 300_000;

/** For how long what lives so long is kept, in ms. */
export function keepMsOf(lifetimeMs: number): number {
  const lives = lifetimeMs > 0 ? lifetimeMs : unsaidLifetimeMs;
  return lives - Math.min(longestMarginMs, lives / 10);
}

/** A token that everybody with the same key shares. */
export function sharedToken(
  { cache }: Pick<CloudAccess, 'cache'>,
  key: string,
  ask: (signal: AbortSignal) => Promise<FetchedToken>,
): CloudToken {
  return {
    key,
    get: (signal) =>
      cache.get(key, signal, async (signal) => {
        const { token, lifetimeMs } = await ask(signal);
        return { value: token, keepMs: keepMsOf(lifetimeMs) };
      }),
    drop: (token) => cache.drop(key, token),
    close: async () => {},
  };
}

/** A file that an environment variable names, trimmed. Rejects with `SourceError` that names both. */
export async function fileOf(access: CloudAccess, path: string, variable: string): Promise<string> {
  let text: string;
  try {
    text = await access.readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new SourceError('bad-setting', `the file ${path}, which ${variable} names, cannot be read${code}`);
  }
  const trimmed = text.trim();
  if (trimmed === '') throw new SourceError('bad-setting', `the file ${path}, which ${variable} names, is empty`);
  return trimmed;
}

/** The answer of a place that gives tokens. `who` begins the message where there is none. */
export async function askTokenPlace(access: CloudAccess, who: string, request: HttpRequest): Promise<HttpAnswer> {
  try {
    return await access.http.request(request);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    throw new SourceError(error.code, `${who}: ${error.message}`);
  }
}

/**
 * Why a place gave no token. `said` is what it says itself; what it was sent (`secrets`) is taken out of that, in case it
 * says it back.
 */
export function noToken(
  who: string,
  url: string,
  status: number,
  said: string,
  secrets: readonly string[] = [],
): SourceError {
  const code = status === 429 || status >= 500 ? 'unreachable' : status < 400 ? 'bad-answer' : 'unauthorized';
  const safe = secrets.filter((one) => one !== '').reduce((text, one) => text.replaceAll(one, '***'), said);
  const line = safe.replace(/\s+/g, ' ').trim().slice(0, 300);
  return new SourceError(code, `${who}: ${place(url)} gave no token (${status})${line === '' ? '' : `: ${line}`}`);
}

/** An object of JSON; null for anything else. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** A field of an object that is a text and not empty; undefined otherwise. */
export function textOf(object: Readonly<Record<string, unknown>> | null, field: string): string | undefined {
  const value = object !== null && Object.hasOwn(object, field) ? object[field] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
