import type { Clock, Provider } from '@ebb/core';
import type { NodePoolSpec } from '@ebb/documents';
import type { NodeClaims } from './karpenter/nodeClaims.ts';

/** What a provider is told of the cluster whose machines it rents. */
export interface ProviderSettings {
  /** Name of the Cluster. Machines carry it: two control planes of one account need clusters of different names. */
  cluster: string;
  /** The cloud's own name; null: the document says none. */
  region: string | null;
  /** The cluster's NodePools as they stand now. Asked at each launch and each list, so that changes count at once. */
  pools(): readonly NodePoolSpec[];
  /** Of a rehearsal: null, the default: no spot machine is ever taken back. */
  spotInterruptions?: { seed: number; perHour: number } | null;
}

export interface SecretName {
  namespace: string;
  name: string;
}

/** One JSON value that outlives the process. `save` may reject with a `code` of `stale-epoch`. */
export interface ProviderBook {
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
}

/** What a provider needs of its surroundings. */
export interface ProviderPorts {
  clock: Clock;
  /** One line for a person, without secrets. */
  log(line: string): void;
  book: ProviderBook;
  /** All keys of a Secret as text; null: there is none of that name. Asked anew each time, so that changed ones count. */
  secrets(name: SecretName): Promise<Readonly<Record<string, string>> | null>;
  /** Karpenter's objects, where this program runs in a Kubernetes cluster. */
  nodeClaims?: NodeClaims;
}

export type ProviderOpener = (settings: ProviderSettings, ports: ProviderPorts) => Promise<Provider>;

/** What a provider is, for listings and documentation. */
export interface ProviderDefinition {
  name: string;
  summary: string;
  /** Client libraries are loaded by this. */
  open: ProviderOpener;
}
