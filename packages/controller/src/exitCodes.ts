/** How the control plane's process ends, as `ebb up` and a supervisor see it. */
export const exitCodes = {
  ok: 0,
  /** Something unforeseen; the log has it. */
  failed: 1,
  /** A flag is wrong. */
  usage: 2,
  /** The API's or the gateway's port is taken. */
  portTaken: 3,
  /** Another control plane runs on the data folder. */
  dataDirectoryInUse: 4,
  /** The data folder or its database cannot be used. */
  storeUnusable: 5,
} as const;

export type ExitName = keyof typeof exitCodes;

/** A start that failed for a reason the user can do something about: one line, and the exit code that goes with it. */
export class StartError extends Error {
  readonly exit: Exclude<ExitName, 'ok'>;

  constructor(exit: StartError['exit'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StartError';
    this.exit = exit;
  }
}
