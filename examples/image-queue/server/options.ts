import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface Options {
  /** Null: a broker is started. */
  amqpUrl: string | null;
  /** Null: a temporary folder, removed at the end. */
  dataDirectory: string | null;
  port: number;
  scaledJobFile: string;
  takesPrompt: boolean;
}

export const usage = `node examples/image-queue/start.mjs [--amqp URL] [--data DIR] [--port PORT] [--scaledjob FILE] [--prompt]

  --amqp URL        use this RabbitMQ (amqp://user:password@host:5672/vhost) and start none
  --data DIR        keep Ebb's journal and the pictures there (default: a temporary folder, removed at the end)
  --port PORT       of the page (default 7080; 0: any free one)
  --scaledjob FILE  apply this file in the place of scaledjob.yaml
  --prompt          the page takes words too, for a command of yours that makes pictures from text

Pictures are kept in a folder, or, with S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY in the
environment (and S3_REGION, S3_SESSION_TOKEN), on that S3-compatible server.`;

export class UsageError extends Error {}

/** Reads the command line; null: help was asked for. Throws `UsageError`. */
export function readOptions(args: string[]): Options | null {
  const { values } = parse(args);
  if (values.help) return null;
  if (values.amqp !== undefined && !/^amqps?:\/\/./.test(values.amqp)) {
    throw new UsageError('--amqp must be a URL such as amqp://user:password@host:5672/');
  }
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw new UsageError(`--port must be 0 to 65535, found "${values.port}"`);
  return {
    amqpUrl: values.amqp ?? null,
    dataDirectory: values.data === undefined ? null : resolve(values.data),
    port,
    scaledJobFile: values.scaledjob
      ? resolve(values.scaledjob)
      : fileURLToPath(new URL('../scaledjob.yaml', import.meta.url)),
    takesPrompt: values.prompt,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        amqp: { type: 'string' },
        data: { type: 'string' },
        port: { type: 'string', default: '7080' },
        scaledjob: { type: 'string' },
        prompt: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
