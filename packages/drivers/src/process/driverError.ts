/**
 * `disconnected`: the agent cannot be reached now; ask again after the next snapshot. `stale-epoch`: a newer control
 * plane has taken over, for good. `closed`: this driver was closed.
 */
export class DriverError extends Error {
  readonly code: 'disconnected' | 'stale-epoch' | 'closed';
  constructor(code: DriverError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
