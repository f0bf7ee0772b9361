import { ProviderError, type ProviderErrorCode } from '@ebb/core';
import { shortText } from '../cloud/http.ts';

/** What AWS' own error codes mean for a launch. Source: the EC2 and Auto Scaling API references, sections on error codes. */
const meaning: Readonly<Record<string, ProviderErrorCode>> = {
  InsufficientInstanceCapacity: 'stock-out',
  InsufficientHostCapacity: 'stock-out',
  InsufficientReservedInstanceCapacity: 'stock-out',
  InsufficientCapacity: 'stock-out',
  InsufficientCapacityOnHost: 'stock-out',
  ReservationCapacityExceeded: 'stock-out',
  UnfulfillableCapacity: 'stock-out',
  SpotMaxPriceTooLow: 'stock-out',
  InsufficientFreeAddressesInSubnet: 'stock-out',
  VcpuLimitExceeded: 'quota',
  InstanceLimitExceeded: 'quota',
  MaxSpotInstanceCountExceeded: 'quota',
  MaxSpotFleetRequestCountExceeded: 'quota',
  VolumeLimitExceeded: 'quota',
  NetworkInterfaceLimitExceeded: 'quota',
  LimitExceeded: 'quota',
  RequestLimitExceeded: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  RequestThrottled: 'throttled',
  RequestThrottledException: 'throttled',
  TooManyRequestsException: 'throttled',
  InstanceLaunchRateLimitExceeded: 'throttled',
  // Auto Scaling says so while it still acts on the last change.
  ScalingActivityInProgress: 'throttled',
  ResourceContention: 'throttled',
  Unsupported: 'unknown-offering',
  UnsupportedOperation: 'unknown-offering',
  InternalError: 'unavailable',
  InternalFailure: 'unavailable',
  InternalServerError: 'unavailable',
  Unavailable: 'unavailable',
  ServiceUnavailable: 'unavailable',
  RequestExpired: 'unavailable',
  // A machine that was made a moment ago is not known everywhere yet.
  'InvalidInstanceID.NotFound': 'unavailable',
};
/** AWS does not say how long to wait; a bucket of requests is full again within seconds. */
const throttledRetryMs = 5_000;

/** Every error of a call to AWS in the provider's words. What AWS refuses for another reason is `refused`: asking again is no use. */
export function awsProblem(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  const code = codeOf(name, message, error);
  // A proxy's page, or no answer at all, has no name of AWS'.
  const isNamed = isAnswer(error) && name !== 'Error';
  const status = isAnswer(error) ? `AWS answered with status ${statusOf(error)}` : `AWS does not answer: ${message}`;
  const text = isNamed || code === 'refused' ? `${name}: ${message}` : status;
  const retry = code === 'throttled' ? { retryAfterMs: throttledRetryMs } : {};
  return new ProviderError(code, shortText(text), { ...retry, cause: error });
}

/** The code for AWS' own name of what went wrong; null: none that is known. */
export function codeOfReason(reason: string): ProviderErrorCode | null {
  const name = reason.replace(/^(Server|Client)\./, '');
  return Object.hasOwn(meaning, name) ? (meaning[name] ?? null) : null;
}

function codeOf(name: string, message: string, error: unknown): ProviderErrorCode {
  const known = codeOfReason(name);
  if (known !== null) return known;
  if (name.startsWith('InvalidInstanceType')) return 'unknown-offering';
  if (name === 'InvalidParameterValue' && /instance.?type/i.test(message)) return 'unknown-offering';
  if (name === 'CredentialsProviderError') return 'refused';
  if (!isAnswer(error)) return 'unavailable';
  return statusOf(error) >= 500 ? 'unavailable' : 'refused';
}

/** AWS answered: there is an HTTP status. */
function isAnswer(error: unknown): boolean {
  return statusOf(error) > 0;
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return 0;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: unknown } };
  return typeof $metadata?.httpStatusCode === 'number' ? $metadata.httpStatusCode : 0;
}
