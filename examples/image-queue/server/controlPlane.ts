import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from '@ebb/client';
import type { ScaledJobStatus } from '@ebb/documents';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const commandFile = join(root, 'packages/cli/bin/ebb.mjs');
const commandWithinMs = 60_000;

export interface ControlPlane {
  readonly client: Client;
  readonly dataDirectory: string;
  /** Ends it: Jobs that run finish or give their message back. */
  stop(): Promise<void>;
}

/** `ebb up --detach` on free ports, with a data folder of its own. Throws with what the command said. */
export async function startControlPlane(dataDirectory: string): Promise<ControlPlane> {
  await ebb(['up', '--detach', '--data', dataDirectory, '--api-port', '0', '--gateway-port', '0']);
  const client = await connect({ dataDirectory });
  return {
    client,
    dataDirectory,
    stop: async () => void (await ebb(['down', '--data', dataDirectory])),
  };
}

/**
 * Applies the ScaledJob's file, and before it the Secret and the ConfigMap it takes its settings from. They go over the
 * API and so are in no file.
 */
export async function applyDocuments(
  client: Client,
  scaledJobFile: string,
  settings: { config: Record<string, string>; secret: Record<string, string> },
): Promise<void> {
  const metadata = { name: 'image-queue' };
  const objects = [
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: settings.secret },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: settings.config },
  ];
  // JSON is YAML too.
  await client.apply(objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await client.apply(await readFile(scaledJobFile, 'utf8'), { origin: scaledJobFile });
}

/** Tells the ScaledJob's status now and whenever it changes, until the signal fires or Ebb ends. */
export async function followScaledJob(
  client: Client,
  name: string,
  tell: (status: ScaledJobStatus | null) => void,
  signal: AbortSignal,
): Promise<void> {
  const read = async () => {
    const found = await client.get('scaledjobs', name);
    tell(found?.status && 'jobList' in found.status ? found.status : null);
  };
  await read();
  const options = {
    signal,
    onConnection: (isThere: boolean) => void (isThere ? read() : Promise.resolve(tell(null))).catch(() => {}),
  };
  for await (const event of client.watch(options)) {
    if (event.type === 'jobs' && event.status.name === name) tell(event.status);
  }
  if (!signal.aborted) tell(null);
}

function ebb(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [commandFile, ...args],
      { cwd: root, timeout: commandWithinMs },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`ebb ${args[0]} failed: ${(stderr || stdout || error.message).trim()}`));
        else resolve(stdout);
      },
    );
  });
}
