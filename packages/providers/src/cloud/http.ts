import { ProviderError } from '@ebb/core';

export interface HttpAnswer {
  status: number;
  headers: Headers;
  /** Parsed JSON; null where there was none. */
  body: unknown;
}

export interface HttpQuestion {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a `URLSearchParams` as a form. */
  body?: unknown;
  timeoutMs: number;
}

/** Longest part of a foreign text that is passed on. */
const longestText = 500;

/**
 * Asks once. Any HTTP status is an answer; no answer is `unavailable`, after which it is not known whether anything happened.
 * Messages name the host and never what was sent.
 */
export async function askHttp({ method, url, headers = {}, body, timeoutMs }: HttpQuestion): Promise<HttpAnswer> {
  const isForm = body instanceof URLSearchParams;
  try {
    const answer = await fetch(url, {
      method,
      headers: { ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: answer.status, headers: answer.headers, body: parsed(await answer.text()) };
  } catch (error) {
    throw new ProviderError('unavailable', `${new URL(url).host} does not answer: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}

/** `Retry-After` in milliseconds, as seconds or as a date; null where there is none. */
export function retryAfterMs(headers: Headers, nowMs: number): number | null {
  const text = headers.get('retry-after');
  if (text === null) return null;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const atMs = Date.parse(text);
  return Number.isFinite(atMs) ? Math.max(0, atMs - nowMs) : null;
}

/** A foreign text on one line and not too long. */
export function shortText(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line;
}
