import { parseArgs } from 'node:util';
import { StartError } from './exitCodes.ts';
import type { LogLevel } from './log.ts';

export const defaultApiPort = 7070;
export const defaultGatewayPort = 8080;

export interface Flags {
  dataDirectory: string;
  /** Where the gateway listens; the API stays on loopback. */
  host: string;
  /** 0: any free one. */
  apiPort: number;
  gatewayPort: number;
  page: boolean;
  metricsOpen: boolean;
  /** Prices of machines, CSV or JSON; null: the built-in list. */
  catalogue: string | null;
  /** Null: stderr. */
  logFile: string | null;
  logLevel: LogLevel;
}

export const usage = `usage: main.js --data DIR [options]
  --data DIR            data folder; made where there is none
  --api-port PORT       API and page, on 127.0.0.1 (default ${defaultApiPort}; 0: any free one)
  --host ADDRESS        where the gateway listens (default 127.0.0.1)
  --gateway-port PORT   (default ${defaultGatewayPort}; 0: any free one)
  --no-page             API without the live page
  --metrics-open        /metrics needs no token
  --catalogue FILE      prices of machines, CSV or JSON (default: the built-in list)
  --log FILE            JSON lines to a file (default: stderr)
  --log-level LEVEL     debug, info, warn or error (default info)`;

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Throws a `StartError` (usage) that says which flag is wrong. */
export function readFlags(args: string[]): Flags {
  const values = parse(args);
  if (!values.data) throw wrong('--data is missing');
  const level = levels.find((one) => one === values['log-level']);
  if (!level) throw wrong(`--log-level must be one of ${levels.join(', ')}, found "${values['log-level']}"`);
  return {
    dataDirectory: values.data,
    host: values.host,
    apiPort: port('--api-port', values['api-port']),
    gatewayPort: port('--gateway-port', values['gateway-port']),
    page: !values['no-page'],
    metricsOpen: values['metrics-open'],
    catalogue: values.catalogue ?? null,
    logFile: values.log ?? null,
    logLevel: level,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        data: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        'api-port': { type: 'string', default: String(defaultApiPort) },
        'gateway-port': { type: 'string', default: String(defaultGatewayPort) },
        'no-page': { type: 'boolean', default: false },
        'metrics-open': { type: 'boolean', default: false },
        catalogue: { type: 'string' },
        log: { type: 'string' },
        'log-level': { type: 'string', default: 'info' },
      },
    }).values;
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function port(flag: string, text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) throw wrong(`${flag} must be 0 to 65535, found "${text}"`);
  return value;
}

function wrong(message: string): StartError {
  return new StartError('usage', message);
}
