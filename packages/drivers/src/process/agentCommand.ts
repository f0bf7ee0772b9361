import { fileURLToPath } from 'node:url';

/**
 * How the agent of a data directory is started: a program and its arguments. Start it detached: it is to outlive a
 * terminal and a Ctrl-C. Its young heap is kept at a megabyte, because a spawn takes longer the larger the agent is.
 */
export function agentCommand(dataDirectory: string): [file: string, ...args: string[]] {
  const main = fileURLToPath(new URL('./agent/main.js', import.meta.url));
  return [process.execPath, '--max-semi-space-size=1', main, '--data', dataDirectory];
}
