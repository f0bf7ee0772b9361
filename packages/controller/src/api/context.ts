import type { Offering, Clock, Driver, MachineGpus, Store } from '@ebb/core';
import type { Engine } from '@ebb/engine';
import type { GatewayState } from '../gatewayLink.ts';
import type { Log } from '../log.ts';
import type { WatchRing } from './watchRing.ts';

/** The live page, and the policy that lets exactly its own script and style run. */
export interface Page {
  html: string;
  contentSecurityPolicy: string;
}

/** All that the API stands on. */
export interface ApiContext {
  version: string;
  /** Milliseconds of Ebb's time. */
  startedAt: number;
  dataDirectory: string;
  token: string;
  /** `/metrics` needs no token. */
  metricsOpen: boolean;
  clock: Pick<Clock, 'nowMs'>;
  engine: Engine;
  store: Pick<Store, 'documents' | 'journal'>;
  logs: Driver['logs'];
  /** What can be rented. */
  offerings: () => Promise<readonly Offering[]>;
  gateway: () => GatewayState;
  agent: () => { connected: boolean; pid: number | null };
  /** GPUs of the machine, as far as the agent has told. */
  machine?: () => MachineGpus | null;
  ring: WatchRing;
  /** Called on first use; null: no page. */
  page: (() => Page) | null;
  /** Begins the stop and returns. */
  shutdown: (options: { leaveRunning: boolean }) => void;
  phase: () => 'starting' | 'ready' | 'stopping';
  log: Log;
}
