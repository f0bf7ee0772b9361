import { ProviderError, type ProviderErrorCode } from '@ebb/core';
import { type HttpAnswer, retryAfterMs, shortText } from '../cloud/http.ts';
import { type Json, listAt, numberAt, textAt } from '../cloud/json.ts';

/** Reasons of HTTP errors and codes of operations, as Compute Engine documents them. */
const codes: readonly (readonly [RegExp, ProviderErrorCode])[] = [
  [
    /ZONE_RESOURCE_POOL_EXHAUSTED|REGION_RESOURCE_POOL_EXHAUSTED|STOCKOUT|insufficientCapacity|resource_availability/i,
    'stock-out',
  ],
  [/^(rateLimitExceeded|userRateLimitExceeded|concurrentLimitExceeded|RESOURCE_EXHAUSTED)$/i, 'throttled'],
  [/^(RATE_LIMIT_EXCEEDED|RESOURCE_OPERATION_RATE_EXCEEDED|CONCURRENT_OPERATIONS_QUOTA_EXCEEDED)$/i, 'throttled'],
  [/^(QUOTA_EXCEEDED|quotaExceeded|limitExceeded|LIMIT_EXCEEDED)$/i, 'quota'],
  [
    /^(INTERNAL_ERROR|internalError|backendError|RESOURCE_NOT_READY|resourceNotReady|SERVICE_UNAVAILABLE)$/i,
    'unavailable',
  ],
];

/** With the reasons that Compute Engine gave, as it calls them. */
export class ComputeError extends ProviderError {
  readonly reasons: readonly string[];
  constructor(code: ProviderErrorCode, message: string, reasons: readonly string[], retryMs: number | null) {
    super(code, message, retryMs === null ? {} : { retryAfterMs: retryMs });
    this.reasons = reasons;
  }
}

interface Complaint {
  codes: readonly string[];
  message: string;
  status: number;
}

/** What an answer that is no success means. */
export function errorOfAnswer({ status, body, headers }: HttpAnswer, nowMs: number): ProviderError {
  const listed = listAt(body, 'error', 'errors');
  const details = listAt(body, 'error', 'details');
  const names = [...listed.map((one) => textAt(one, 'reason')), ...details.map((one) => textAt(one, 'reason'))];
  return errorOf(
    {
      codes: [...names, textAt(body, 'error', 'status')].filter((name) => name !== null),
      message: textAt(body, 'error', 'message') ?? `HTTP ${status}`,
      status,
    },
    retryAfterMs(headers, nowMs),
  );
}

/** What came of an operation that has ended; null where all is well. */
export function errorOfOperation(operation: Json): ProviderError | null {
  const errors = listAt(operation, 'error', 'errors');
  const status = numberAt(operation, 'httpErrorStatusCode');
  if (errors.length === 0 && (status === null || status < 400)) return null;
  return errorOfList(errors, textAt(operation, 'httpErrorMessage') ?? 'the operation failed', status ?? 400);
}

/** The same for the errors of a group's last attempt: `[{ code, message }]`. */
export function errorOfList(errors: readonly unknown[], otherwise = 'it failed', status = 400): ProviderError {
  const messages = errors.map((one) => textAt(one, 'message')).filter((text) => text !== null);
  return errorOf(
    {
      codes: errors.map((one) => textAt(one, 'code')).filter((code) => code !== null),
      message: messages.join('; ') || otherwise,
      status,
    },
    null,
  );
}

function errorOf(complaint: Complaint, retryMs: number | null): ProviderError {
  const { message, codes: names } = complaint;
  const told = names.length > 0 ? `${message} (${names[0]})` : message;
  return new ComputeError(codeOf(complaint), `Google Cloud: ${shortText(told)}`, names, retryMs);
}

function codeOf({ codes: names, message, status }: Complaint): ProviderErrorCode {
  for (const [pattern, code] of codes) if (names.some((name) => pattern.test(name))) return code;
  if (/does not have enough resources available/i.test(message)) return 'stock-out';
  if (status === 429) return 'throttled';
  if (status === 408 || status >= 500) return 'unavailable';
  if (/machine ?types?\b/i.test(message) && /not (found|exist)|invalid/i.test(message)) return 'unknown-offering';
  return 'refused';
}

/** An answer that stays the same however often the same request is repeated. */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof ComputeError)) return false;
  return error.reasons.includes('INTERNAL_ERROR') || !['throttled', 'unavailable'].includes(error.code);
}
