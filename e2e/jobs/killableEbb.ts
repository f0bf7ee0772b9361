import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemStatus } from '@ebb/documents';
import { until } from '@ebb/testing/services';
import { ebb, type RunningEbb, startEbb } from '../ebbCommand.ts';
import { cpuSeconds, runsCommand } from './jobProcesses.ts';

const withinMs = 60_000;

interface Control {
  pid: number;
  apiUrl: string;
}

export type EbbProcess = 'controlPlane' | 'agent';

/** A real Ebb whose processes are killed and come back. */
export class KillableEbb {
  readonly data: string;
  readonly #running: RunningEbb;
  #agentPid = 0;
  /** Seconds of processor time of the processes there were, by process id. */
  readonly #cpu: Record<EbbProcess, Map<number, number>> = { controlPlane: new Map(), agent: new Map() };

  private constructor(running: RunningEbb) {
    this.data = running.data;
    this.#running = running;
  }

  static async start(files: string[]): Promise<KillableEbb> {
    const started = new KillableEbb(await startEbb(files));
    await started.untilConnected();
    return started;
  }

  /** Null while the control plane is away. */
  async status(): Promise<SystemStatus | null> {
    try {
      const headers = { authorization: `Bearer ${this.#running.token}` };
      const response = await fetch(`${this.#control().apiUrl}/api/v1/status`, { headers });
      const status = (await response.json()) as SystemStatus;
      this.#agentPid = status.agent.pid ?? this.#agentPid;
      return status;
    } catch {
      return null;
    }
  }

  /** The control plane answers and has its agent. */
  async untilConnected(): Promise<void> {
    const check = async () => (await this.status())?.agent.connected === true;
    await until(check, { withinMs, what: () => 'a control plane with its agent' });
  }

  /** SIGKILL; nothing starts it again. */
  killControlPlane(): void {
    this.#kill(this.#control().pid, 'controlPlane');
  }

  /** SIGKILL; a control plane that lives starts it again. */
  killAgent(): void {
    this.#kill(this.#agentPid, 'agent');
  }

  async startControlPlane(): Promise<void> {
    const up = await ebb(['up', '--detach', '--data', this.data, '--api-port', '0', '--gateway-port', '0']);
    if (up.code !== 0) throw new Error(`ebb up after a kill failed (${up.code}):\n${up.stdout}\n${up.stderr}`);
  }

  /** Notes how much processor time both have used; to be called often, a killed one keeps what was noted last. */
  noteUsage(): void {
    const pids = { controlPlane: this.#control().pid, agent: this.#agentPid };
    for (const process of ['controlPlane', 'agent'] as const) {
      const used = cpuSeconds(pids[process]);
      if (used !== null && runsCommand(pids[process], this.data)) this.#cpu[process].set(pids[process], used);
    }
  }

  /** Processor time of all there were. */
  usedSeconds(process: EbbProcess): number {
    return [...this.#cpu[process].values()].reduce((sum, seconds) => sum + seconds, 0);
  }

  async stop(): Promise<void> {
    await this.#running.stop();
  }

  #control(): Control {
    return JSON.parse(readFileSync(join(this.data, 'control.json'), 'utf8')) as Control;
  }

  #kill(pid: number, process_: EbbProcess): void {
    // Never anybody else's process that has got the id meanwhile.
    if (!runsCommand(pid, this.data)) return;
    this.noteUsage();
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      throw new Error(`the ${process_} ended by itself`);
    }
  }
}
