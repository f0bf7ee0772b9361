/** The dispatcher found itself or its caller in a state that cannot be: a bug, never a user's mistake. */
export class DispatchInvariantError extends Error {
  override readonly name = 'DispatchInvariantError';
}

/** Throws `DispatchInvariantError` unless the condition holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new DispatchInvariantError(message);
}
