import type { AnswerHead } from './exchange.ts';
import { requestIdField } from './headers.ts';

/** Why a request was turned away or failed: a stable code, the status it is answered with, and its title. */
export const problems = {
  'bad-request': [400, 'Request is malformed'],
  'no-route': [404, 'No workload serves this request'],
  'unknown-workload': [404, 'No workload serves this request'],
  'method-not-allowed': [405, 'Method is not served here'],
  'body-timeout': [408, 'Request body came too slowly'],
  'body-too-large': [413, 'Request body is too large'],
  'head-too-large': [431, 'Request head is too large'],
  'no-class-accepts': [413, 'No class of the workload accepts this request'],
  'replica-failed': [502, 'Replica failed before it answered'],
  'queue-full': [503, 'Queue is full'],
  'buffer-full': [503, 'Buffer for waiting requests is full'],
  unavailable: [503, 'Workload is unavailable'],
  'workload-removed': [503, 'Workload was removed'],
  'shutting-down': [503, 'Gateway is shutting down'],
  'hold-timeout': [504, 'No replica became free in time'],
  'deadline-passed': [504, "Client's deadline passed"],
  'response-timeout': [504, 'Replica did not begin to answer in time'],
  'request-timeout': [504, 'Request took too long'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof problems;

export interface GatewayProblem {
  code: ProblemCode;
  /** The sentence for the person who asked. */
  detail: string;
  /** Overrides the code's own status. */
  status?: number;
  /** `cluster/namespace/name`. */
  workload?: string;
  retryAfterMs?: number | null;
  /** Code of the deeper reason, such as `startup-budget` behind `unavailable`. */
  reason?: string;
}

/** An RFC 9457 answer: `application/problem+json`, with `Retry-After` where trying again makes sense. */
export function problemAnswer(problem: GatewayProblem, requestId: string): { head: AnswerHead; body: string } {
  const [defaultStatus, title] = problems[problem.code];
  const status = problem.status ?? defaultStatus;
  const body = `${JSON.stringify({
    type: `urn:ebb:problem:${problem.code}`,
    title,
    status,
    detail: problem.detail,
    code: problem.code,
    workload: problem.workload,
    reason: problem.reason,
    retryAfterMs: problem.retryAfterMs ?? undefined,
  })}\n`;
  const fieldList = [
    'content-type',
    'application/problem+json',
    'content-length',
    String(Buffer.byteLength(body)),
    'cache-control',
    'no-store',
    requestIdField,
    requestId,
  ];
  if (problem.retryAfterMs != null) {
    fieldList.push('retry-after', String(Math.max(1, Math.ceil(problem.retryAfterMs / 1000))));
  }
  return { head: { status, statusText: statusTexts[status] ?? '', fieldList }, body };
}

const statusTexts: Record<number, string> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
