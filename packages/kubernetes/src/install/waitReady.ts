import { isStatus } from '../client/client.ts';
import { installName, podLabels } from '../manifests/settings.ts';
import type { Waiting } from './execute.ts';
import { type Readiness, operatorReadiness } from './readiness.ts';
import type { InstallServer } from './server.ts';

const lookEveryMs = 500;

export interface WaitOptions {
  readonly server: InstallServer;
  readonly namespace: string;
  readonly withinMs: number;
  readonly waiting: Waiting;
  /** Told whenever it changes. */
  onProgress(text: string): void;
}

/** Waits until the operator is ready; the last state that was seen otherwise. */
export async function waitForOperator(options: WaitOptions): Promise<Readiness> {
  const { server, namespace, withinMs, waiting, onProgress } = options;
  const untilMs = waiting.nowMs() + withinMs;
  let told = '';
  for (;;) {
    const seen = await readReadiness(server, namespace);
    if (seen.isReady || waiting.nowMs() >= untilMs) return seen;
    if (seen.text !== told) onProgress(seen.text);
    told = seen.text;
    await waiting.pause(lookEveryMs);
  }
}

export async function readReadiness(server: InstallServer, namespace: string): Promise<Readiness> {
  const deployment = await server.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: installName });
  const isSettled = operatorReadiness(deployment, [], []);
  if (isSettled.isReady) return isSettled;
  const labelSelector = operatorSelector;
  const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: installName };
  try {
    const pods = await server.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector });
    const volume = await server.get(claim);
    return operatorReadiness(deployment, pods ?? [], volume ? [volume] : []);
  } catch (error) {
    // Who may not look at pods hears less of why.
    if (isStatus(error, 403)) return isSettled;
    throw error;
  }
}

export const operatorSelector = Object.entries(podLabels)
  .map(([name, value]) => `${name}=${value}`)
  .join(',');
