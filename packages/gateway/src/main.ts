import { parseArgs } from 'node:util';
import { createDispatcher } from '@ebb/core/dispatch';
import { SocketInUseError } from '@ebb/link';
import { PortTakenError, type RunningGateway, startGateway } from './gatewayProcess.ts';
import { logToStdout } from './log.ts';

const usage = 'usage: main.js --data DIR [--host 127.0.0.1] [--port 8080]';
const exitCodes = { usage: 2, portTaken: 3, alreadyRunning: 4, failed: 1 } as const;

await main();

async function main(): Promise<void> {
  const settings = readSettings();
  if (typeof settings === 'string') {
    fail(`${settings}\n${usage}`, exitCodes.usage);
    return;
  }
  let running: RunningGateway;
  try {
    running = await startGateway({
      ...settings,
      dispatcher: createDispatcher(process.pid),
      log: logToStdout,
    });
  } catch (error) {
    if (error instanceof PortTakenError) fail(error.message, exitCodes.portTaken);
    else if (error instanceof SocketInUseError) fail(`already running: ${error.message}`, exitCodes.alreadyRunning);
    else fail(error instanceof Error ? error.message : String(error), exitCodes.failed);
    return;
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    let asked = 0;
    process.on(signal, () => {
      asked += 1;
      // Who asks twice does not want to wait for exchanges in flight.
      if (asked > 1) process.exit(exitCodes.failed);
      void running.stop(signal);
    });
  }
  process.on('uncaughtException', (error) => {
    // Held requests and streams of others must not end because one of them met a fault.
    logToStdout('error', 'unexpected fault', { error: error.stack ?? String(error) });
  });
  await running.stopped;
  process.exit(0);
}

function readSettings(): { dataDirectory: string; host: string; port: number } | string {
  try {
    const { values } = parseArgs({
      options: {
        data: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '8080' },
      },
    });
    if (!values.data) return '--data is missing';
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65535) return `--port must be 0 to 65535, found "${values.port}"`;
    return { dataDirectory: values.data, host: values.host, port };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function fail(message: string, code: number): void {
  process.stderr.write(`ebb gateway: ${message}\n`);
  process.exitCode = code;
}
