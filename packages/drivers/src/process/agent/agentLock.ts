import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * Holds the data directory for this process, as long as it lives. Two agents that start at the same moment could both
 * find the agent's socket unused; the name taken here (a Linux abstract socket) is given by the kernel to one only
 * and freed by it, however the process ends. False when another process has it. Elsewhere than on Linux: always true.
 */
export function lockDataDirectory(dataDirectory: string): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(true);
  const name = createHash('sha256').update(realpathSync(dataDirectory)).digest('hex').slice(0, 32);
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(`\0ebb-agent-${name}`, () => resolve(true));
    server.unref();
  });
}
