import { type Client, type ControlFile, connect, NotRunningError, readControlFile } from '@ebb/client';
import type { EbbContext } from './context.ts';
import { findDataDirectory } from './dataDirectory.ts';
import { Failure } from './failure.ts';

export interface Session {
  client: Client;
  control: ControlFile;
  dataDirectory: string;
}

/** Connects to the Ebb of the data folder that flags, environment or the working folder name. */
export async function openSession(context: EbbContext, flags: { data?: string }): Promise<Session> {
  return connectSession(findDataDirectory(flags.data, context.env, context.workingDirectory).path);
}

/** Throws an `unreachable` failure where no control plane runs on the data folder. */
export async function connectSession(dataDirectory: string): Promise<Session> {
  const client = await connect({ dataDirectory });
  const control = await readControlFile(dataDirectory);
  if (!control) throw new NotRunningError(dataDirectory, 'stopped');
  return { client, control, dataDirectory };
}

/** The failure for a control plane that is not there, with what to do about it. */
export function notRunning({ dataDirectory, reason }: NotRunningError): Failure {
  if (reason === 'stopped') {
    return new Failure('unreachable', `no Ebb runs on ${dataDirectory}.`, [
      '`ebb up FILE` starts one here; --data DIR or $EBB_DATA name another data folder',
    ]);
  }
  return new Failure('unreachable', `the control plane on ${dataDirectory} has died; what it started may still run.`, [
    '`ebb up` takes that up again, `ebb down` ends it',
  ]);
}
