import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const listening = '0A';

/** Who listens on a TCP port of this machine, as `pid 4711 (node)`; null where that cannot be seen. */
export function findPortOwner(port: number): string | null {
  const inodes = new Set([...listeningInodes('/proc/net/tcp', port), ...listeningInodes('/proc/net/tcp6', port)]);
  if (inodes.size === 0) return null;
  for (const pid of readNames('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const descriptor of readNames(`/proc/${pid}/fd`)) {
      const inode = socketInode(`/proc/${pid}/fd/${descriptor}`);
      if (inode !== null && inodes.has(inode)) return `pid ${pid}${programName(pid)}`;
    }
  }
  return null;
}

/** Lines of `/proc/net/tcp`: slot, local address:port in hexadecimal, remote, state, …, inode as the tenth field. */
function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readText(table)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === listening)
    .flatMap((fields) => fields[9] ?? []);
}

function socketInode(path: string): string | null {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** The program's name only: arguments may hold secrets. */
function programName(pid: string): string {
  const name = readText(`/proc/${pid}/comm`).trim();
  return name ? ` (${name})` : '';
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function readNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
