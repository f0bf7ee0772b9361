import type {
  FleetDecision,
  FleetMemory,
  FleetObservation,
  FleetSpec,
  NodeReserve,
  Offering,
  PlacementPool,
  Provider,
} from '@ebb/core';
import type { ClusterSpec, NodePoolSpec } from '@ebb/documents';

/** What a provider has of the engine. */
export interface ProviderSurroundings {
  pools(): readonly NodePoolSpec[];
  /** One JSON value that outlives the process. */
  book: { load(): Promise<unknown>; save(value: unknown): Promise<void> };
}

/** Pods that others run on the machines, such as a cluster's own: the fleets find machines for them and not for replicas. */
export interface Guests {
  /** Everything that runs or waits there, and what else bears on it. */
  observe(spec: FleetSpec, memory: FleetMemory | null): Pick<FleetObservation, 'pods' | 'others' | 'doNotDisrupt'>;
  /** A decision that is stored: whoever runs the pods makes them leave and tells them where they may go. */
  decided(cluster: string, decision: FleetDecision, memory: FleetMemory): void;
  /** What nodes of the pool keep for daemons. */
  overheadOf(pool: PlacementPool): NodeReserve;
  /** `pods`: what is observed has changed; `overhead`: what `overheadOf` says has. */
  watch(listener: (what: 'pods' | 'overhead') => void): () => void;
}

/** What the engine needs to rent machines. */
export interface NodePorts {
  /** Left out: machines are for the engine's own replicas. */
  guests?: Guests;
  /** Opens what rents the machines of a cluster, whose pools are asked for anew each time. Rejects with a sentence for a person. */
  open(cluster: ClusterSpec, surroundings: ProviderSurroundings): Promise<Provider>;
  /** All that can be rented. */
  offerings(): Promise<readonly Offering[]>;
  /** Of those offerings' prices. */
  currency: string;
  /** Work that one step may do, in the units of placement. */
  workUnits: number;
  /** `fleetStep` of the core, with a solver; in another thread where that is longer than a request may wait. */
  step(
    spec: FleetSpec,
    memory: FleetMemory | null,
    observation: FleetObservation,
  ): Promise<{ decision: FleetDecision; memory: FleetMemory }>;
  /** Whether a time that begins by cron (UTC) and lasts so long is now, and when that changes; null: never again. */
  window(schedule: string, durationMs: number, nowMs: number): { isOpen: boolean; changesAtMs: number | null };
}
