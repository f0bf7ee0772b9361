import type { Random } from '@ebb/core';
import { adviceConfigMap } from '../advice/adviceBook.ts';
import type { Mode } from '../advice/mode.ts';
import { KubernetesClient } from '../client/client.ts';
import type { Namespaces } from '../client/resources.ts';
import type { Transport } from '../client/transport.ts';
import { Elector } from '../leases/elector.ts';
import { NodesView } from '../nodes/nodesView.ts';
import { ClusterView } from './cluster.ts';
import { type Leading, lead, type OperatorPorts } from './leading.ts';

export interface OperatorOptions {
  readonly transport: Transport;
  readonly ports: OperatorPorts;
  readonly random: Random;
  readonly version: string;
  /** Objects of these namespaces alone; null: of all. */
  readonly namespace: Namespaces;
  /** Of objects that do not say one by `ebb.dev/mode`; left out: control. */
  readonly mode?: Mode;
  /** Between two writes of one status; left out: 10 s. */
  readonly statusGapMs?: number;
  readonly lease: {
    readonly namespace: string;
    readonly name: string;
    /** Unlike that of any other process. */
    readonly identity: string;
    /** Left out: 15 s. */
    readonly durationMs?: number;
  };
}

export interface Operator {
  /** Present while this process leads. */
  leading(): Leading | null;
  /** Resolves when it leads for the first time. */
  readonly ready: Promise<void>;
  /** Rejects when it cannot go on. */
  readonly done: Promise<void>;
  /** Gives the lease back. Everything in the cluster stays as it is. */
  stop(): Promise<void>;
}

/**
 * The operator: follows the cluster at once, and decides while it holds the lease. Rejects when the API server cannot be
 * asked what there is.
 */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { transport, ports, random, namespace, lease, version } = options;
  const { log } = ports;
  const client = new KubernetesClient({ transport, clock: ports.clock, random });
  const onTrouble = (message: string) => log('warn', 'the API server is asked again', { error: message });
  const view = new ClusterView({ client, namespace, onTrouble });
  if (ports.nodes && namespace !== null) {
    throw new Error(
      'machines are decided on by the pods of all namespaces: node pools and chosen namespaces exclude each other',
    );
  }
  const nodesView = ports.nodes ? new NodesView({ client, pods: view.pods, onTrouble }) : null;
  const elector = new Elector({
    client,
    namespace: lease.namespace,
    name: lease.name,
    identity: lease.identity,
    ...(lease.durationMs === undefined ? {} : { leaseMs: lease.durationMs }),
    log,
  });
  const ready = Promise.withResolvers<void>();
  let leading: Leading | null = null;
  const stopping = new AbortController();
  const { signal } = stopping;

  try {
    await view.start();
    await nodesView?.start();
  } catch (error) {
    await nodesView?.close();
    await view.close();
    throw error;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const leadership = await elector.lead();
      if (signal.aborted) return;
      const began = await lead({
        client,
        view,
        nodesView,
        namespaces: { own: lease.namespace, followed: namespace },
        leadership,
        ports,
        version,
        instance: lease.identity,
        mode: options.mode ?? 'control',
        adviceConfigMap: adviceConfigMap(lease),
        ...(options.statusGapMs === undefined ? {} : { statusGapMs: options.statusGapMs }),
      });
      leading = began;
      ready.resolve();
      await leadership.ended;
      leading = null;
      await began.stop();
    }
  }

  const running = run();
  // Whoever leads and cannot decide gives way to another one.
  const failed = running.catch(async (error: unknown) => {
    stopping.abort();
    await elector.close();
    throw error;
  });
  failed.catch((error: unknown) => ready.reject(error));
  ready.promise.catch(() => {});

  return {
    leading: () => leading,
    ready: ready.promise,
    done: failed,
    async stop() {
      stopping.abort();
      // What is decided until now is written down before another one may begin.
      const ending = leading;
      leading = null;
      await ending?.stop();
      await elector.close();
      if (ending) await running;
      await nodesView?.close();
      await view.close();
    },
  };
}
