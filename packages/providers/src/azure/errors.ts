import { ProviderError, type ProviderErrorCode } from '@ebb/core';
import { type HttpAnswer, retryAfterMs, shortText } from '../cloud/http.ts';
import { type Json, listAt, objectAt, textAt } from '../cloud/json.ts';

/** With the codes that Azure gave, the outermost first. */
export class ArmError extends ProviderError {
  readonly reasons: readonly string[];
  readonly status: number;
  constructor(
    code: ProviderErrorCode,
    message: string,
    reasons: readonly string[],
    status: number,
    retryMs: number | null,
  ) {
    super(code, message, retryMs === null ? {} : { retryAfterMs: retryMs });
    this.reasons = reasons;
    this.status = status;
  }
}

/** Codes of the compute provider and of the Resource Manager, as they are documented. */
const codes: readonly (readonly [RegExp, ProviderErrorCode])[] = [
  [
    /^(SkuNotAvailable|(Zonal|Spot)?AllocationFailed|Overconstrained(Zonal)?AllocationRequest|InsufficientCapacity)$/,
    'stock-out',
  ],
  [/QuotaExceeded$/, 'quota'],
  [/^(TooManyRequests|.*Throttled)$/, 'throttled'],
  [
    /^(InternalServerError|ServiceUnavailable|RetryableError|OperationPreempted|Conflict|AnotherOperationInProgress)$/,
    'unavailable',
  ],
  [/^(PreconditionFailed|OperationTimedOut|ServerTimeout|GatewayTimeout)$/, 'unavailable'],
  [/^(InvalidVMSize|VMSizeNotSupported|NotSupportedVMSize)$/i, 'unknown-offering'],
];

/** What an answer that is no success means. */
export function errorOfAnswer({ status, body, headers }: HttpAnswer, nowMs: number): ArmError {
  return errorOf(objectAt(body, 'error'), status, retryAfterMs(headers, nowMs));
}

/** The same for the `error` of an operation that has failed. */
export function errorOf(error: Json, status: number, retryMs: number | null = null): ArmError {
  const found = withDetails(error);
  const names = found.map((one) => textAt(one, 'code')).filter((code) => code !== null);
  const messages = found.map((one) => textAt(one, 'message')).filter((message) => message !== null);
  const message = messages.join('; ') || `HTTP ${status}`;
  const told = names.length > 0 ? `${message} (${names.join(', ')})` : message;
  return new ArmError(codeOf(names, message, status), `Azure: ${shortText(told)}`, names, status, retryMs);
}

/** An error and what is within it, outermost first; three levels at most. */
function withDetails(error: Json, depth = 0): Json[] {
  if (depth > 2) return [error];
  return [error, ...listAt(error, 'details').flatMap((one) => withDetails(objectAt(one), depth + 1))];
}

function codeOf(names: readonly string[], message: string, status: number): ProviderErrorCode {
  if (status === 429) return 'throttled';
  for (const [pattern, code] of codes) if (names.some((name) => pattern.test(name))) return code;
  if (names.includes('OperationNotAllowed') && /quota/i.test(message)) return 'quota';
  if (names.includes('InvalidParameter') && /VM size/i.test(message)) return 'unknown-offering';
  if (status === 408 || status === 412 || status >= 500) return 'unavailable';
  return 'refused';
}

/** The thing that was asked for is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof ArmError && error.status === 404;
}

/** It is there already, or has changed since it was read. */
export function isChanged(error: unknown): boolean {
  return error instanceof ArmError && error.status === 412;
}
