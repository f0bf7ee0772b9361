import type { Reading, Store, TriggerPort, TriggerRequest, TriggerSet } from '@ebb/core';
import { MemoryStore } from '@ebb/testing';
import type { ExternalMetricsSettings } from '../metrics/externalMetricsApi.ts';
import type { OperatorNodes } from '../nodes/leadNodes.ts';
import type { OperatorPorts } from '../operator/leading.ts';
import type { Operator } from '../operator/operator.ts';
import { startOperator } from '../operator/operator.ts';
import type { WarmthImages } from '../warmth/objects.ts';
import { httpTransport } from '../client/transport.ts';
import { half, machineClock } from './fakeCluster.fixture.ts';

/** Triggers whose value a test says, by the document's name. */
export class ToldTriggers implements TriggerPort {
  readonly requests: TriggerRequest[] = [];
  #values = new Map<string, number | null>();
  readonly #listeners = new Set<{ name: string; tell: () => void }>();

  /** Null: the source cannot be read. */
  say(name: string, value: number | null): void {
    this.#values.set(name, value);
    for (const listener of this.#listeners) if (listener.name === name) listener.tell();
  }

  open(request: TriggerRequest): TriggerSet {
    this.requests.push(request);
    const { name } = request.key;
    const read = (): Reading[] =>
      request.triggers.map((trigger) => {
        const value = this.#values.get(name) ?? (this.#values.has(name) ? null : 0);
        const base = { trigger: trigger.name, class: null, peak: null, spanMs: 0, atMs: Date.now() };
        return value === null
          ? { ...base, value, state: 'error', message: 'the source is away' }
          : { ...base, value, state: 'ok' };
      });
    const targets = Object.fromEntries(request.triggers.map((one) => [one.name, { target: 10, activationTarget: 0 }]));
    return {
      targets,
      unsupported: [],
      read: async () => read(),
      watch: (listener) => {
        const entry = { name, tell: () => listener(read()) };
        this.#listeners.add(entry);
        queueMicrotask(entry.tell);
        return () => this.#listeners.delete(entry);
      },
      close: async () => {},
    };
  }
}

export interface StartedOperator {
  operator: Operator;
  log: string[];
  /** Ends the process without a word, as SIGKILL does: nothing more is sent, and the lease is left. */
  kill(): void;
  stop(): Promise<void>;
}

/** An operator against a server, with a clock and connections of its own. */
export async function runOperator(options: {
  server: string;
  identity: string;
  triggers: TriggerPort | ((store: Store, clusterMetric: Parameters<OperatorPorts['triggers']>[2]) => TriggerPort);
  transport?: ReturnType<typeof httpTransport>;
  embedded?: Store;
  leaseMs?: number;
  version?: string;
  /** How far its clock is ahead of the others'. */
  skewMs?: number;
  namespace?: string | readonly string[] | null;
  nodes?: OperatorNodes;
  mode?: 'control' | 'advice';
  externalMetrics?: ExternalMetricsSettings;
  sizing?: boolean;
  warmth?: WarmthImages;
}): Promise<StartedOperator> {
  const { server, identity, triggers, embedded = new MemoryStore() } = options;
  const clock = machineClock(options.skewMs);
  const inner = options.transport ?? httpTransport({ server });
  let isKilled = false;
  const dead = () => new Promise<never>(() => {});
  const transport: typeof inner = {
    send: (request) => (isKilled ? dead() : inner.send(request).then((answer) => (isKilled ? dead() : answer))),
    lines: (request, take) => (isKilled ? dead() : inner.lines(request, (line) => !isKilled && take(line))),
    close: () => inner.close(),
  };
  const log: string[] = [];
  let serial = 0;
  const operator = await startOperator({
    transport,
    random: half,
    version: options.version ?? 'test',
    namespace: options.namespace ?? null,
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    statusGapMs: 100,
    lease: { namespace: 'default', name: 'ebb', identity, durationMs: options.leaseMs ?? 1000 },
    ports: {
      clock,
      embedded,
      ...(options.nodes ? { nodes: options.nodes } : {}),
      ...(options.sizing ? { sizing: true } : {}),
      ...(options.warmth ? { warmth: options.warmth } : {}),
      ...(options.externalMetrics ? { externalMetrics: options.externalMetrics } : {}),
      triggers: (store, _engine, clusterMetric) =>
        typeof triggers === 'function' ? triggers(store, clusterMetric) : triggers,
      scheduleScaler: () => ({ read: async () => [], close: async () => {} }),
      newSuffix: () => `${identity}${++serial}`,
      log: (level, message, data) => log.push(`${level} ${message} ${JSON.stringify(data ?? {})}`),
    },
  });
  return {
    operator,
    log,
    kill() {
      isKilled = true;
      inner.close();
      clock.close();
    },
    async stop() {
      if (!isKilled) await operator.stop();
      transport.close();
      clock.close();
    },
  };
}

/** A ScaledObject as a user writes it, with Ebb's improvements unless told otherwise. */
export function scaledObject(
  name: string,
  more: { spec?: Record<string, unknown>; annotations?: Record<string, string>; target?: string } = {},
): Record<string, unknown> {
  return {
    metadata: { name, namespace: 'default', annotations: { 'ebb.dev/improvements': 'true', ...more.annotations } },
    spec: {
      scaleTargetRef: { name: more.target ?? 'web' },
      cooldownPeriod: 1,
      maxReplicaCount: 20,
      advanced: {
        horizontalPodAutoscalerConfig: {
          behavior: {
            scaleDown: { stabilizationWindowSeconds: 0 },
            scaleUp: { policies: [{ type: 'Pods', value: 100, periodSeconds: 1 }] },
          },
        },
      },
      triggers: [{ type: 'redis', metadata: { address: '127.0.0.1:1', listName: 'jobs', listLength: '10' } }],
      ...more.spec,
    },
  };
}
