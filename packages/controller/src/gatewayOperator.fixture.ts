import { type GatewayPorts, openCluster, type Operator, startOperator } from '@ebb/kubernetes';
import { MemoryStore } from '@ebb/testing';
import { liveClock } from './clock.ts';
import { type GatewayCluster, system } from './gatewayCluster.fixture.ts';
import { newSuffix } from './newSuffix.ts';
import { liveTriggers } from './triggers.ts';

/** A count or endpoints that the API server has taken, noted when its answer is here. */
export interface NotedWrite {
  readonly atMs: number;
  readonly name: string;
  /** A count as text; of endpoints, whom they lead to. */
  readonly what: string;
}

export interface OperatorBeside {
  readonly operator: Operator;
  readonly writes: readonly NotedWrite[];
  /** What was written for a name. */
  wrote(name: string): string[];
  stop(): Promise<void>;
}

export interface OperatorBesideOptions {
  readonly gateways: GatewayPorts;
  /** Left out: the administrator's. */
  readonly kubeconfig?: string;
  readonly statusGapMs?: number;
}

/** An operator of this process, so that each write of it can be timed. Resolves when it leads. */
export async function runOperator(
  world: GatewayCluster,
  { gateways, kubeconfig = world.cluster.kubeconfig, statusGapMs }: OperatorBesideOptions,
): Promise<OperatorBeside> {
  const writes: NotedWrite[] = [];
  const { transport } = await openCluster({ path: kubeconfig });
  const clock = liveClock(0);
  const operator = await startOperator({
    transport: {
      ...transport,
      async send(request) {
        const answer = await transport.send(request);
        const parts = request.path.split('/');
        if (request.method === 'PUT' && request.path.endsWith('/scale') && answer.status === 200) {
          const { spec } = JSON.parse(answer.text) as { spec: { replicas?: number } };
          writes.push({ atMs: performance.now(), name: parts.at(-2) ?? '', what: String(spec.replicas ?? 0) });
        } else if (request.method === 'PATCH' && request.path.includes('/endpointslices/') && answer.status < 300) {
          const { metadata } = JSON.parse(answer.text) as {
            metadata: { name: string; annotations?: Record<string, string> };
          };
          const what = metadata.annotations?.['ebb.dev/path'] ?? '';
          writes.push({ atMs: performance.now(), name: metadata.name, what });
        }
        return answer;
      },
    },
    random: { next: () => 0.5 },
    version: 'test',
    namespace: null,
    ...(statusGapMs === undefined ? {} : { statusGapMs }),
    // Given back at its end. Long, so that a machine that stands still for seconds ends no leadership.
    lease: { namespace: system, name: 'ebb', identity: `test-${++world.serial}`, durationMs: 30_000 },
    ports: {
      clock,
      embedded: new MemoryStore(),
      newSuffix,
      gateways,
      triggers: ({ documents }, engine) =>
        liveTriggers({ documents, engine, nowMs: () => clock.nowMs(), log: () => {} }),
      scheduleScaler: () => ({ read: async () => [], close: async () => {} }),
      log: (level, message, data) => world.note(`${level} ${message} ${JSON.stringify(data ?? {})}`),
    },
  });
  const stop = async () => {
    await operator.stop();
    transport.close();
    clock.close();
  };
  await operator.ready.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const wrote = (name: string) => writes.filter((write) => write.name === name).map(({ what }) => what);
  return { operator, writes, wrote, stop };
}
