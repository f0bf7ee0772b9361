import { rmSync } from 'node:fs';
import type { ProcessDriver } from '@ebb/drivers';
import type { Engine } from '@ebb/engine';
import type { StopOptions } from './controlPlane.ts';
import type { DataDirectory } from './dataDirectory.ts';
import type { GatewayLink } from './gatewayLink.ts';
import type { Log } from './log.ts';
import { awaitEnd } from './processes/awaitEnd.ts';
import type { LocalProcesses } from './processes/localProcesses.ts';

export interface ShutdownOptions {
  directory: DataDirectory;
  processes: LocalProcesses;
  engine: Engine;
  gateway: GatewayLink;
  driver: ProcessDriver;
  log: Log;
  onBegin: () => void;
  closeApi: () => Promise<unknown>;
  closeStore: () => Promise<void>;
}

/** Drains are bounded by the documents; this bounds what they forgot. */
const longestQuiesceMs = 120_000;
/** After the replicas have gone, gateway and agent have nothing left to wait for but clients and grace periods. */
const longestEndMs = 45_000;

/** The end of a control plane, in order: replicas, gateway and agent, then its own parts. */
export class Shutdown {
  readonly #options: ShutdownOptions;
  #running: Promise<void> | null = null;
  #hurry: () => void = () => {};
  readonly #hurried: Promise<void>;
  #done: () => void = () => {};
  readonly done: Promise<void>;

  constructor(options: ShutdownOptions) {
    this.#options = options;
    this.#hurried = new Promise((resolve) => {
      this.#hurry = resolve;
    });
    this.done = new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  /** The same promise when asked again. */
  begin({ leaveRunning = false }: StopOptions): Promise<void> {
    this.#running ??= this.#run(leaveRunning);
    return this.#running;
  }

  hurry(): void {
    this.#hurry();
  }

  async #run(leaveRunning: boolean): Promise<void> {
    const { directory, processes, engine, gateway, driver, log, onBegin, closeApi, closeStore } = this.#options;
    log('info', 'stopping', { leaveRunning });
    onBegin();
    if (!leaveRunning) await this.#step('end the replicas', () => this.#quiesce());
    processes.gateway.leave();
    processes.agent.leave();
    await this.#step('stop the engine', () => engine.stop());
    if (!leaveRunning) {
      await Promise.all([
        this.#step('end the gateway', () => this.#endGateway()),
        this.#step('end the agent', () => this.#endAgent()),
      ]);
    }
    // Who follows a stream that now ends sees by this that the end was meant.
    rmSync(directory.control, { force: true });
    await this.#step('close the API', closeApi);
    await this.#step('let go of the agent', () => driver.close());
    await this.#step('let go of the gateway', () => gateway.close());
    await this.#step('close the store', closeStore);
    log('info', 'stopped');
    this.#done();
  }

  async #quiesce(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, longestQuiesceMs);
    });
    await Promise.race([this.#options.engine.quiesce(), this.#hurried, late]);
    clearTimeout(timer);
  }

  async #endGateway(): Promise<void> {
    const { gateway, log } = this.#options;
    const { pid } = gateway.state();
    if (gateway.shutdown() && !(await awaitEnd(pid, longestEndMs)))
      log('warn', 'the gateway had to be killed', { pid });
  }

  async #endAgent(): Promise<void> {
    const { driver, log } = this.#options;
    const { pid, connected } = driver.agent();
    if (!connected) return;
    await this.#step('ask the agent to end', () =>
      Promise.race([driver.shutdown({ stopReplicas: true }), pause(longestEndMs)]),
    );
    if (!(await awaitEnd(pid, longestEndMs))) log('warn', 'the agent had to be killed', { pid });
  }

  /** A step that fails must not keep the next ones from happening. */
  async #step(what: string, step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#options.log('error', `could not ${what}`, { error: error instanceof Error ? error.stack : String(error) });
    }
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
