import type { ProbeAction } from '@ebb/documents';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { nowUs } from './monotonic.ts';
import { signalGroup } from './processGroup.ts';

/** Where a probe goes, and what an exec probe runs with. */
export interface ProbeTarget {
  host: string;
  port: number;
  environment: Record<string, string>;
  workingDirectory: string;
}

export interface ProbeResult {
  ok: boolean;
  /** What went wrong, for a person: `GET /health answered 503`. Empty when ok. */
  message: string;
}

export interface ProbeLimits {
  timeoutMs: number;
  signal: AbortSignal;
  /** The replica accepted the connection, at this monotonic time; not called for exec probes. */
  onConnected?: (atUs: number) => void;
}

/** How much of an answer's body is read, so that the replica does not see its connection break. */
const longestAnswerBytes = 64 * 1024;
const longestStatusLineBytes = 4096;
/** After the verdict the rest of the answer may take this long. */
const drainMs = 1000;
/** Of all probes: what is read is looked at before anything else is. A buffer for each would make the agent grow. */
const readBuffer = Buffer.alloc(4096);

/** Asks once. Never rejects; ends by itself at the timeout or when the signal is aborted. */
export function probe(action: ProbeAction, target: ProbeTarget, limits: ProbeLimits): Promise<ProbeResult> {
  if (action.type === 'exec') return probeByCommand(action.command, target, limits);
  if (action.type === 'tcp') return probeSocket(target, limits, null);
  const lines = [
    `GET ${action.path} HTTP/1.1`,
    `Host: ${target.host}:${target.port}`,
    'User-Agent: ebb-probe',
    'Accept: */*',
    'Connection: close',
    ...Object.entries(action.headers).map(([name, value]) => `${name}: ${value}`),
  ];
  if (lines.some((line) => /[\r\n]/.test(line))) {
    return Promise.resolve({ ok: false, message: 'probe path or header has a line break' });
  }
  return probeSocket(target, limits, { head: `${lines.join('\r\n')}\r\n\r\n`, name: `GET ${action.path}` });
}

/** Connects and, with a request, waits for a status line of 200 to 399. */
function probeSocket(
  target: ProbeTarget,
  { timeoutMs, signal, onConnected }: ProbeLimits,
  request: { head: string; name: string } | null,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const name = request?.name ?? 'connection';
    const settle = (ok: boolean, message: string) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve({ ok, message });
    };
    const giveUp = (message: string) => {
      settle(false, message);
      socket.destroy();
    };
    const onAbort = () => giveUp('called off');
    const answer = new StatusReader((status) => {
      const ok = status !== null && status >= 200 && status <= 399;
      settle(ok, ok ? '' : `${name} ${status === null ? 'did not answer in HTTP' : `answered ${status}`}`);
      socket.setTimeout(drainMs, () => socket.destroy());
    });
    const socket = connect({
      host: target.host,
      port: target.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback(bytes) {
          if (!answer.take(readBuffer.subarray(0, bytes))) socket.destroy();
          return true;
        },
      },
    });
    const timer = setTimeout(() => giveUp(`${name}: no answer within ${timeoutMs} ms`), timeoutMs);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const refused = error.code === 'ECONNREFUSED';
      settle(false, refused ? `nothing listens on port ${target.port}` : `${name}: ${error.message}`);
    });
    socket.once('connect', () => {
      onConnected?.(nowUs());
      if (request) {
        socket.write(request.head);
      } else {
        settle(true, '');
        socket.destroy();
      }
    });
    if (request) socket.on('end', () => answer.end());
  });
}

/** Calls back once with the status of the first line, null for anything that is not one; reads the rest away. */
class StatusReader {
  readonly #verdict: (status: number | null) => void;
  #line = '';
  #known = false;
  #bytes = 0;

  constructor(verdict: (status: number | null) => void) {
    this.#verdict = verdict;
  }

  /** False when enough has been read. */
  take(data: Uint8Array): boolean {
    this.#bytes += data.length;
    if (!this.#known) {
      this.#line += Buffer.from(data).toString('latin1');
      if (this.#line.includes('\n') || this.#line.length > longestStatusLineBytes) this.end();
    }
    return this.#bytes <= longestAnswerBytes;
  }

  end(): void {
    if (this.#known) return;
    this.#known = true;
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(this.#line)?.[1];
    this.#verdict(status === undefined ? null : Number(status));
  }
}

/** Runs the command as the replica's own would run; exit code 0 is a yes. Whatever it started ends with it. */
function probeByCommand(
  command: string[],
  target: ProbeTarget,
  { timeoutMs, signal }: ProbeLimits,
): Promise<ProbeResult> {
  const [name = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(name, args, {
      cwd: target.workingDirectory,
      env: target.environment,
      detached: true,
      stdio: 'ignore',
    });
    const settle = (ok: boolean, message: string) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      resolve({ ok, message });
    };
    const onAbort = () => settle(false, 'called off');
    const timer = setTimeout(() => settle(false, `${name}: not finished within ${timeoutMs} ms`), timeoutMs);
    child.once('error', (error) => settle(false, `${name}: ${error.message}`));
    child.once('exit', (code, by) => settle(code === 0, code === 0 ? '' : `${name}: ${by ?? `exit code ${code}`}`));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}
