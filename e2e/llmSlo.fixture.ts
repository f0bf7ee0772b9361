import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, connect } from '@ebb/client';
import type { WorkloadStatus } from '@ebb/documents';
import { expect, onTestFinished } from 'vitest';
import { ebb, root, type RunningEbb } from './ebbCommand.ts';

export const llmChat = join(root, 'examples/llm-chat');

/** An LLM server to put under load. */
export interface Example {
  running: RunningEbb;
  name: string;
  /** Where its command runs. */
  directory: string;
  command: string;
  env?: string;
  aboveMs: number;
}

function documentOf({ name, command, env = '{}', aboveMs }: Example): string {
  const steps = 'window: 2s, decrease: { replicas: 2 }';
  return `apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: ${name} }
spec:
  classes:
    - { name: default, command: ${command}, env: ${env}, port: auto, concurrency: 16 }
  probes:
    startup: { http: { path: /readyz }, budget: 30s }
    readiness: { http: { path: /readyz } }
  serving: { routes: [{ pathPrefix: /${name} }] }
  scaling:
    minReplicas: 1
    maxReplicas: 2
    policy:
      type: slo
      metrics: { server: vllm, interval: 200ms }
      startTime: 1s
      triggers:
        - { type: timeToFirstToken, above: ${aboveMs}ms, below: ${aboveMs / 2}ms, ${steps} }
        - { type: waitingRequests, above: 3, ${steps} }
`;
}

async function statusOf(
  client: Client,
  name: string,
  holds: (status: WorkloadStatus) => boolean,
): Promise<WorkloadStatus> {
  const events = client.watch();
  try {
    // Asked while the watch is being opened, so that no change falls between the two.
    let next = events.next();
    const now = await client.workloadStatus(name);
    if (now && holds(now)) return now;
    for (let event = await next; !event.done; event = await next) {
      const { value } = event;
      if (value.type === 'status' && value.status.name === name && holds(value.status)) return value.status;
      next = events.next();
    }
  } finally {
    void events.return(undefined);
  }
  throw new Error('the watch has ended');
}

/** Callers that ask again as soon as they have their answer, until they are told to leave. */
function callers({ running, name }: Example, count: number, isOver: () => boolean): Promise<number[]> {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Tell me.' }], stream: true, max_tokens: 20 });
  const ask = async () => {
    let answers = 0;
    while (!isOver()) {
      const response = await fetch(`${running.gatewayUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-ebb-workload': name },
        body,
      });
      const text = await response.text();
      if (response.status !== 200 || !text.includes('[DONE]')) throw new Error(`${response.status} ${text}`);
      answers++;
    }
    return answers;
  };
  return Promise.all(Array.from({ length: count }, ask));
}

/** Applies it, has callers stream answers until replicas are added, and waits until they have gone again. */
export async function underLoad(one: Example): Promise<void> {
  const { name, running } = one;
  const client = await connect({ dataDirectory: running.data });
  const file = join(one.directory, `.${name}.e2e.yaml`);
  writeFileSync(file, documentOf(one));
  const applied = await ebb(['apply', '-f', file, '--data', running.data]);
  rmSync(file);
  expect(applied, applied.stderr).toMatchObject({ code: 0 });
  await statusOf(client, name, ({ replicas }) => replicas.ready === 1);

  let isOver = false;
  onTestFinished(() => {
    isOver = true;
  });
  const load = callers(one, 6, () => isOver);
  load.catch(() => undefined);
  await statusOf(client, name, ({ replicas }) => replicas.wanted >= 2);
  const grown = await client.explain(name);
  await statusOf(client, name, ({ replicas }) => replicas.ready === 2);
  isOver = true;
  const answers = await load;
  expect(Math.min(...answers)).toBeGreaterThan(0);
  expect(grown?.lines.map(({ sentence }) => sentence).join('\n')).toMatch(/timeToFirstToken is at [\d.]+ ms/);

  const rest = await statusOf(client, name, ({ replicas }) => replicas.wanted === 1 && replicas.ready === 1);
  expect(rest.requests).toMatchObject({ failed: 0, refused: 0 });
  expect((await ebb(['delete', 'workload', name, '--data', running.data])).code).toBe(0);
}
