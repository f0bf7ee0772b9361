import { accessSync, constants } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseDuration } from '@ebb/documents';
import type { GatewayFlags } from '../commands/gateway.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure, messageOf } from '../failure.ts';
import { Interrupts } from '../interrupts.ts';
import { serviceLog } from '../kubernetes/serviceLog.ts';

const defaults = { port: 8080, linkPort: 7071, healthPort: 7070, notice: '5s', grace: '5m' } as const;

/** Runs until it is told to end, and has ended what it had. */
export async function gateway(context: EbbContext, flags: GatewayFlags): Promise<ExitName> {
  const host = flags.host ?? context.env.POD_IP ?? '127.0.0.1';
  const times = {
    noticeMs: readDuration('--notice', flags.notice ?? defaults.notice),
    graceMs: readDuration('--grace', flags.grace ?? defaults.grace),
  };
  const secretFile = readableFile(flags.linkSecret, context.workingDirectory);
  const log = serviceLog(context);
  const interrupts = new Interrupts();
  // Held requests and streams of others must not end because one of them met a fault.
  const faulted = (error: Error) => log('error', 'unexpected fault', { error: error.stack ?? String(error) });
  try {
    const { startClusterGateway } = await import('@ebb/controller');
    const started = await startClusterGateway({
      name: flags.name ?? context.env.POD_NAME ?? hostname(),
      serve: { host, port: flags.port ?? defaults.port },
      link: { host, port: flags.linkPort ?? defaults.linkPort, secretFile },
      health: { host, port: flags.healthPort ?? defaults.healthPort },
      log,
    }).catch((error: unknown) => {
      throw new Failure('failed', `the gateway cannot start: ${messageOf(error)}`, [
        'is a port taken, or the address not one of this machine?',
      ]);
    });
    log('info', 'the gateway listens', { url: started.url, link: started.link, health: started.healthUrl });
    process.on('uncaughtException', faulted);
    interrupts.onHurry(() => void started.stop());
    await Promise.race([interrupts.stopped(), started.stopped]);
    await started.leave('it was told to end', times);
    return 'ok';
  } finally {
    process.off('uncaughtException', faulted);
    interrupts.dispose();
  }
}

function readDuration(flag: string, written: string): number {
  const parsed = parseDuration(written);
  if ('value' in parsed) return parsed.value;
  throw new Failure('usage', `${flag} is a duration such as 5s or 2m, not "${written}"`);
}

function readableFile(written: string | undefined, workingDirectory: string): string {
  if (written === undefined) throw new Failure('usage', '--link-secret is missing: a file that the operator knows too');
  const path = resolve(workingDirectory, written);
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw new Failure('usage', `--link-secret: ${path} cannot be read`);
  }
  return path;
}
