import type { DispatchEndpoint, DispatchRequest, RefusalCode } from './types.ts';

export interface NaiveRequest {
  request: DispatchRequest;
  arrivedUs: number;
  deadlineUs: number;
  deadlineCode: RefusalCode;
  excluded: string[];
  everHeld: boolean;
  isLate: boolean;
  assignedUs: number;
  /** It came as a deferrable request; it is one still; since when it is none. */
  mayDefer: boolean;
  isDeferrable: boolean;
  ordinaryUs: number;
  /** When it is turned, while it is deferred. */
  turnUs: number;
  state: 'held' | 'deferred' | 'inFlight' | 'over';
  /** What it is on while it is in flight. */
  replica: string;
  /** What it is counted in. */
  class: string;
}

export interface NaiveEndpoint extends DispatchEndpoint {
  isListed: boolean;
  isDrained: boolean;
}

export function bytesOf(requests: readonly NaiveRequest[]): number {
  return requests.reduce((sum, { request }) => sum + request.bufferedBytes, 0);
}

export function dueUs({ state, turnUs, deadlineUs }: NaiveRequest): number {
  return state === 'deferred' ? turnUs : deadlineUs;
}
