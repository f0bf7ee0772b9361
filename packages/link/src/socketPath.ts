import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

// Linux allows 107 bytes, macOS 103; a longer path fails with a message nobody understands.
const longestSocketPathBytes = 100;

/**
 * Where a process of the given data directory listens: `DATA/run/NAME.sock`, or a short path of the same
 * uniqueness in the temporary folder when that would be too long for a Unix socket. Makes the folder, for the owner only.
 */
export function socketPath(dataDirectory: string, name: 'agent' | 'gateway'): string {
  const directory = resolve(dataDirectory);
  const direct = join(directory, 'run', `${name}.sock`);
  const folder =
    Buffer.byteLength(direct) <= longestSocketPathBytes
      ? join(directory, 'run')
      : join(tmpdir(), `ebb-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${name}.sock`);
}
