import { enableCompileCache } from 'node:module';
import { type ControlPlane, startControlPlane } from './controlPlane.ts';
import { openDataDirectory } from './dataDirectory.ts';
import { exitCodes, StartError } from './exitCodes.ts';
import { type Flags, readFlags, usage } from './flags.ts';
import { type Log, openLog } from './log.ts';

/**
 * The control plane's process. When it serves it prints one line `{"event":"ready",…}` on stdout and writes
 * `DATA/control.json`. SIGTERM and SIGINT stop everything cleanly, replicas included (a second one no longer waits for
 * requests in flight); SIGKILL leaves gateway, agent and replicas running for the next start. Exit codes: `exitCodes.ts`.
 */
async function main(): Promise<void> {
  let flags: Flags;
  try {
    flags = readFlags(process.argv.slice(2));
  } catch (error) {
    leave(error, true);
    return;
  }
  const log = openLog({ level: flags.logLevel, file: flags.logFile });
  process.on('uncaughtException', (error) => {
    log('error', 'unexpected error', { error: error.stack ?? String(error) });
    process.exit(exitCodes.failed);
  });
  let controlPlane: ControlPlane;
  try {
    // What is loaded from here on is compiled once, not at every start.
    enableCompileCache(openDataDirectory(flags.dataDirectory).compileCache);
    controlPlane = await startControlPlane({ ...flags, log });
  } catch (error) {
    log('error', 'not started', { error: error instanceof StartError ? error.message : String(error) });
    leave(error, false);
    return;
  }
  stopOnSignals(controlPlane, log);
  const { apiUrl, gatewayUrl, version } = controlPlane;
  const ready = {
    event: 'ready',
    pid: process.pid,
    apiUrl,
    gatewayUrl,
    version,
    startMs: Math.round(performance.now()),
  };
  // Who started this process may no longer listen.
  process.stdout.on('error', () => {});
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  log('info', 'ready', ready);
  await controlPlane.stopped;
  process.exit(exitCodes.ok);
}

function stopOnSignals(controlPlane: ControlPlane, log: Log): void {
  let asked = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      asked += 1;
      log('info', 'signal', { signal, asked });
      if (asked > 1) controlPlane.hurry();
      else void controlPlane.stop();
    });
  }
}

/** One line for the person, and the exit code for the machine. */
function leave(error: unknown, withUsage: boolean): void {
  const known = error instanceof StartError;
  const text = known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`ebb: ${text}\n${withUsage ? `${usage}\n` : ''}`);
  process.exit(exitCodes[known ? error.exit : 'failed']);
}

await main();
