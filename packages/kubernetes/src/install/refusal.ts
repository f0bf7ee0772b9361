/** An installation that is not begun, or not gone on with. Nothing was changed, unless the message says so. */
export class InstallRefusal extends Error {
  override readonly name = 'InstallRefusal';
  readonly reason: 'rights' | 'owner' | 'version' | 'kinds' | 'documents' | 'absent' | 'timeout';
  /** What it is about, one thing a line, and what to do. */
  readonly details: readonly string[];

  constructor(reason: InstallRefusal['reason'], message: string, details: readonly string[] = []) {
    super(message);
    this.reason = reason;
    this.details = details;
  }
}
