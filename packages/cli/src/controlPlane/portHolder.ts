import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

/** Whether nobody listens on 127.0.0.1:port. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Who listens on a TCP port, as `node server.js (pid 4711)`; null where that cannot be found out. */
export function portHolder(port: number): string | null {
  try {
    return process.platform === 'linux' ? linuxHolder(port) : lsofHolder(port);
  } catch {
    return null;
  }
}

const listening = '0A';

function linuxHolder(port: number): string | null {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(file)) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.endsWith(`:${hex}`) && columns[3] === listening && columns[9])
        inodes.add(`socket:[${columns[9]}]`);
    }
  }
  if (inodes.size === 0) return null;
  for (const pid of readdirSync('/proc')) {
    if (/^\d+$/.test(pid) && holdsAny(pid, inodes)) return describe(pid);
  }
  return null;
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}

/** Other users' processes cannot be looked into; they are passed over. */
function holdsAny(pid: string, sockets: Set<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

function describe(pid: string): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  return `${programName(words)} (pid ${pid})`;
}

/** What a person calls a program, from its command line: its own name and its script's; another Ebb by its data folder. */
export function programName(words: readonly string[]): string {
  if (/\/(controller|gateway)\/dist\/\w+\.js$/.test(words[1] ?? '')) {
    const data = words[words.indexOf('--data') + 1];
    return words.includes('--data') && data ? `another Ebb on ${data}` : 'another Ebb';
  }
  const names = words.slice(0, 2).map((word) => word.split('/').at(-1));
  return names.join(' ') || 'a process';
}

function lsofHolder(port: number): string | null {
  const output = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 2_000,
  });
  const pid = /^p(\d+)$/m.exec(output)?.[1];
  const name = /^c(.+)$/m.exec(output)?.[1];
  return pid ? `${name ?? 'a process'} (pid ${pid})` : null;
}
