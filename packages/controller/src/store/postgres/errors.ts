import { StoreError } from '@ebb/core';
import { postgresError } from '@ebb/scalers';

/** The database cannot be reached now, or cannot take anything: what was asked for was not done as far as is known. */
export class StoreAwayError extends Error {
  override readonly name = 'StoreAwayError';
}

/** The schema was written by a newer Ebb. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
  constructor(place: string, found: number, known: number) {
    super(
      `${place} was written by a newer Ebb (its format is ${found}, this Ebb knows up to ${known}): run that version, or use another schema`,
    );
  }
}

/**
 * What the client or the server says, for a person and for the log: where it happened, and no password, also where a server repeats
 * one. `isAway`: asking again later may help, and over a new connection.
 */
export function explained(
  error: unknown,
  place: string,
  secrets: readonly string[],
): { error: Error; isAway: boolean } {
  if (error instanceof StoreError || error instanceof StoreAwayError || error instanceof NewerSchemaError) {
    return { error, isAway: error instanceof StoreAwayError };
  }
  const said = postgresError(error, place);
  const isAway = (said.code === 'unreachable' || said.code === 'timeout' || isReadOnly(error)) && !isCancelled(error);
  const text = scrubbed(said.message, secrets);
  // Without its cause: a client's error has the statement and its parameters beside the message.
  return { error: isAway ? new StoreAwayError(text) : new DatabaseError(text, said.code), isAway };
}

/** Whether it is the store that somebody has to look at: the message says what is wrong with it. */
export function isStoreTrouble(error: unknown): boolean {
  const kinds = [StoreError, StoreAwayError, DatabaseError, NewerSchemaError];
  return kinds.some((kind) => error instanceof kind);
}

/** The server has answered, and with an error. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /** As of a trigger's source: `unauthorized`, `not-found`, `bad-answer`, … */
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** The text without any of the secrets, as they are and as they stand in a URL. */
export function scrubbed(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .reduce((left, secret) => left.replaceAll(secret, '***'), text);
}

/** A statement that took too long: the server is there. */
function isCancelled(error: unknown): boolean {
  return sqlState(error) === '57014';
}

/** What was the primary is a standby now: another connection may find the new one. */
function isReadOnly(error: unknown): boolean {
  return sqlState(error) === '25006';
}

function sqlState(error: unknown): string | null {
  return error instanceof Error && error.name === 'PostgresError' && 'code' in error ? String(error.code) : null;
}
