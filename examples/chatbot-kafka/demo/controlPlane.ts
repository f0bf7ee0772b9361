import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from '@ebb/client';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const commandFile = path('../../../packages/cli/bin/ebb.mjs');
const commandWithinMs = 60_000;

export const scaledObjectFile = path('../scaledobject.yaml');
const consumerFile = path('../workload.yaml');
const modelFile = path('../../llm-chat/workload.yaml');

export interface ControlPlane {
  readonly client: Client;
  /** Ends it with all that it runs. */
  stop(): Promise<void>;
}

/**
 * `ebb up --detach` with the Workloads, on a data folder of its own. The gateway's port is given, because the consumers
 * are told it before it is there. Throws with what the command said.
 */
export async function startControlPlane(
  dataDirectory: string,
  gatewayPort: number,
  { withModel, environment }: { withModel: boolean; environment: Readonly<Record<string, string>> },
): Promise<ControlPlane> {
  const ports = ['--api-port', '0', '--gateway-port', String(gatewayPort)];
  const files = withModel ? [consumerFile, modelFile] : [consumerFile];
  await ebb(['up', '--detach', '--data', dataDirectory, ...ports, ...files], environment);
  return {
    client: await connect({ dataDirectory }),
    stop: async () => {
      await ebb(['down', '--data', dataDirectory], environment);
    },
  };
}

function ebb(args: string[], environment: Readonly<Record<string, string>>): Promise<void> {
  const options = { timeout: commandWithinMs, env: { ...process.env, ...environment } };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [commandFile, ...args], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`ebb ${args[0]} failed: ${(stderr || stdout || error.message).trim()}`));
      else resolve();
    });
  });
}

export interface ScaledObjectChanges {
  /** Fewer consumers, for a small machine. */
  readonly small: boolean;
  /** Ebb's own rules in the place of KEDA's. */
  readonly reactive: boolean;
  /** Puts KEDA's annotation for a pause on. */
  readonly paused: boolean;
}

/** Applies `scaledobject.yaml`, with nothing changed in it but what is asked for. */
export async function applyScaledObject(client: Client, changes: ScaledObjectChanges): Promise<void> {
  await client.apply(changed(await readFile(scaledObjectFile, 'utf8'), changes), { origin: scaledObjectFile });
}

export function changed(text: string, { small, reactive, paused }: ScaledObjectChanges): string {
  let result = text;
  if (small) {
    result = result.replace(/(?<=minReplicaCount: )\d+/, '1').replace(/(?<=maxReplicaCount: )\d+/, '4');
  }
  const annotations = [
    ...(reactive ? ['    ebb.dev/improvements: "true"\n'] : []),
    ...(paused ? ['    autoscaling.keda.sh/paused-replicas: "0"\n'] : []),
  ];
  if (annotations.length === 0) return result;
  return result.replace('metadata:\n', `metadata:\n  annotations:\n${annotations.join('')}`);
}
