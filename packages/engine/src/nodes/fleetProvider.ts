import {
  type FleetNode,
  type FleetOutcome,
  type NodeEvent,
  type NodeLaunch,
  type NodeObservation,
  type Provider,
  ProviderError,
} from '@ebb/core';
import type { ClusterSpec, NodePoolSpec } from '@ebb/documents';
import { type EngineContext, isStaleEpoch } from '../context.ts';
import { messageOf } from '../replicaActions.ts';
import type { NodePorts, ProviderSurroundings } from './ports.ts';

const providerPrefix = 'engine/provider/';

/** What a fleet has to do with its provider. */
export interface FleetProviderOptions {
  context: EngineContext;
  nodes: NodePorts;
  cluster: string;
  /** The cluster's NodePools as they stand now. */
  pools(): readonly NodePoolSpec[];
  /** The provider told of a machine, went away or came back. */
  changed(): void;
  /** What came of a launch. */
  answered(outcome: FleetOutcome): void;
}

/** A cluster's provider as its fleet knows it: the machines that it tells of, and what is asked of it. */
export class FleetProvider {
  readonly #options: FleetProviderOptions;
  #provider: Provider | null = null;
  #unwatch: (() => void) | null = null;
  #machines: Map<string, NodeObservation> | null = null;
  /** Machines that went since they were last asked for: why they did is told once. */
  #gone: NodeObservation[] = [];

  constructor(options: FleetProviderOptions) {
    this.#options = options;
  }

  /** Null: it is not open. */
  get name(): string | null {
    return this.#provider?.name ?? null;
  }

  /** Machines by the provider's word; null: it has not said what there is, or is away. */
  get machines(): readonly NodeObservation[] | null {
    return this.#machines === null ? null : [...this.#machines.values()];
  }

  /** The machines, once with those that are gone since. */
  observe(): readonly NodeObservation[] | null {
    const gone = this.#gone;
    this.#gone = [];
    return this.machines === null ? null : [...this.machines, ...gone];
  }

  /** Opens what the cluster names, in place of what was open. Gives the reason where it cannot be; never rejects. */
  async open(cluster: ClusterSpec): Promise<string | null> {
    const { context, nodes } = this.#options;
    this.#unwatch?.();
    const before = this.#provider;
    this.#provider = null;
    this.#machines = null;
    try {
      await before?.close();
      const provider = await nodes.open(cluster, this.#surroundings());
      if (context.stopped) await provider.close();
      else {
        this.#provider = provider;
        this.#unwatch = provider.watch((event) => this.#heard(event));
      }
      return null;
    } catch (error) {
      const problem = messageOf(error);
      this.#warn('error', 'machines of a cluster cannot be rented', { error: problem });
      return problem;
    }
  }

  /** Listens no more; machines stay as they were last told of. */
  unwatch(): void {
    this.#unwatch?.();
    this.#unwatch = null;
  }

  async close(): Promise<void> {
    await this.#provider?.close();
  }

  /** False: there is no provider to be asked. */
  launch(node: FleetNode, launch: NodeLaunch): boolean {
    const { context, answered } = this.#options;
    if (!this.#provider) return false;
    this.#provider.launch(launch).then(
      () => answered({ type: 'accepted', id: node.id }),
      (error: unknown) => {
        if (isStaleEpoch(error)) return context.deposed();
        const known = error instanceof ProviderError ? error : null;
        const { code = 'unavailable', retryAfterMs = null } = known ?? {};
        const what = { node: node.id, offering: node.offering.id, code, error: messageOf(error) };
        this.#warn('warn', 'a machine was not to be had', what);
        answered({ type: 'refused', id: node.id, code, message: messageOf(error), retryAfterMs });
      },
    );
    return true;
  }

  terminate(node: { id: string } | { providerId: string }): void {
    const { context, changed } = this.#options;
    this.#provider?.terminate(node).catch((error: unknown) => {
      if (isStaleEpoch(error)) return context.deposed();
      // It is in the book as ending until it is gone, and is asked for again.
      this.#warn('warn', 'a machine was not ended', { ...node, error: messageOf(error) });
      if (!context.stopped) changed();
    });
  }

  #heard(event: NodeEvent): void {
    const { context, changed } = this.#options;
    if (context.stopped) return;
    const idOf = (node: NodeObservation) => node.id ?? `provider:${node.providerId ?? ''}`;
    if (event.type === 'disconnected') {
      this.#machines = null;
      this.#warn('warn', 'provider is away: machines stay as they are', { message: event.message });
    } else if (event.type === 'snapshot') {
      this.#machines = new Map(event.nodes.filter(({ phase }) => phase !== 'gone').map((node) => [idOf(node), node]));
    } else if (this.#machines) {
      if (event.node.phase === 'gone') {
        this.#machines.delete(idOf(event.node));
        this.#gone.push(event.node);
      } else this.#machines.set(idOf(event.node), event.node);
    }
    changed();
  }

  #surroundings(): ProviderSurroundings {
    const { context, cluster, pools } = this.#options;
    const { store } = context.ports;
    const name = providerPrefix + cluster;
    return {
      pools,
      book: {
        load: () => store.state.load(name),
        save: (value) => store.state.save(name, value, context.options.epoch),
      },
    };
  }

  #warn(level: 'warn' | 'error', message: string, what: Record<string, unknown>): void {
    const { context, cluster } = this.#options;
    context.ports.log(level, message, { cluster, ...what });
  }
}
