import type { DriverEvent, LogLine, ReplicaObservation, ReplicaStart, RunObservation, RunStart } from '@ebb/core';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readProcesses } from '../agent/processTable.ts';
import { connectProcessDriver, type ProcessDriver, type ProcessDriverOptions } from '../processDriver.ts';

const packages = fileURLToPath(new URL('../../../../', import.meta.url));
const main = fileURLToPath(new URL('../agent/main.ts', import.meta.url));

/** Lets Node run the agent's sources as they are, without a build. */
const sourceHooks = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { pathToFileURL } from 'node:url';
  registerHooks({
    resolve(name, context, next) {
      if (name === '@ebb/core/gpu') return next(pathToFileURL(${JSON.stringify(packages)} + 'core/src/nodes/gpu/gpu.ts').href, context);
      const found = /^@ebb\\/(\\w+)$/.exec(name);
      return found ? next(pathToFileURL(${JSON.stringify(packages)} + found[1] + '/src/index.ts').href, context) : next(name, context);
    },
  });
`)}`;

export interface RunningAgent {
  process: ChildProcess;
  /** Lines of its log so far. */
  log: Record<string, unknown>[];
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** A data directory with agents, drivers and replicas of its own, all of which `end` ends. */
export class AgentUnderTest {
  readonly directory = mkdtempSync(join(tmpdir(), 'ebb-drivers-'));
  readonly #agents: RunningAgent[] = [];
  readonly #drivers: ProcessDriver[] = [];
  #scripts = 0;

  /** Starts an agent and resolves when it serves (or has ended). */
  async startAgent(environment: Record<string, string> = {}): Promise<RunningAgent> {
    const child = spawn(process.execPath, ['--import', sourceHooks, main, '--data', this.directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] ?? '', ...environment },
    });
    const log: Record<string, unknown>[] = [];
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const agent = { process: child, log, exited };
    this.#agents.push(agent);
    let pending = '';
    await new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = (pending + text).split('\n');
        pending = lines.pop() ?? '';
        log.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>));
        if (log.some(({ message }) => message === 'agent ready')) resolve();
      });
      void exited.then(() => resolve());
    });
    return agent;
  }

  async connect(options: Partial<ProcessDriverOptions> = {}): Promise<ProcessDriver> {
    const driver = await connectProcessDriver({ dataDirectory: this.directory, epoch: 1, log: () => {}, ...options });
    this.#drivers.push(driver);
    return driver;
  }

  /** Writes a script into the directory and returns its path. */
  script(text: string, name = 'worker.mjs'): string {
    const path = join(this.directory, `${++this.#scripts}-${name}`);
    writeFileSync(path, text, { mode: 0o755 });
    return path;
  }

  /** Ends everything that was started here and returns what was still running after the agent said it had ended it. */
  async end(): Promise<string[]> {
    for (const driver of this.#drivers) await driver.close();
    const running = this.#agents.filter(
      ({ process: { exitCode, signalCode } }) => exitCode === null && signalCode === null,
    );
    if (running.length === 0) await this.startAgent();
    const driver = await connectProcessDriver({ dataDirectory: this.directory, epoch: 1_000_000, log: () => {} });
    await driver.shutdown({ stopReplicas: true });
    await driver.close();
    await Promise.all(this.#agents.map(({ exited }) => exited));
    const left = this.leftovers();
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
    return left.map(({ text }) => text);
  }

  /** A command that goes on until `release` says how it is to end. */
  held(id: string): string[] {
    const path = this.#releasePath(id);
    return ['/bin/sh', '-c', `while [ ! -s '${path}' ]; do sleep 0.02; done; exit $(cat '${path}')`];
  }

  release(id: string, exitCode: number): void {
    const path = this.#releasePath(id);
    writeFileSync(`${path}.new`, String(exitCode));
    renameSync(`${path}.new`, path);
  }

  #releasePath(id: string): string {
    return join(this.directory, `release-${id}`);
  }

  /** Processes whose command or environment speaks of this directory. */
  leftovers(): { pid: number; text: string }[] {
    return readProcesses()
      .filter(({ ended, pid }) => !ended && pid !== process.pid)
      .map(({ pid }) => ({ pid, text: `${pid} ${read(pid, 'cmdline')}`, environment: read(pid, 'environ') }))
      .filter(({ text, environment }) => text.includes(this.directory) || environment.includes(this.directory))
      .map(({ pid, text }) => ({ pid, text }));
  }
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** A start with the defaults of a small HTTP worker. */
export function startOf(id: string, command: string[], change: Partial<ReplicaStart> = {}): ReplicaStart {
  const action = { type: 'http', path: '/', headers: {} } as const;
  return {
    id,
    workload: { cluster: 'local', namespace: 'default', name: 'hello' },
    class: 'default',
    revision: 'r1',
    node: 'local',
    command,
    env: {},
    envFromHost: [],
    workingDirectory: tmpdir(),
    port: 'auto',
    resources: { requests: { cpuMilli: 100, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
    probes: {
      startup: { action, timeoutMs: 1000, budgetMs: 20_000 },
      readiness: { action, periodMs: 100, timeoutMs: 1000, successThreshold: 1, failureThreshold: 2 },
      liveness: null,
    },
    terminationGraceMs: 2000,
    ...change,
  };
}

/** A run of a Job of the owner `resize`. */
export function runOf(id: string, command: string[], change: Partial<RunStart> = {}): RunStart {
  return {
    id,
    owner: { cluster: 'local', namespace: 'default', name: 'resize' },
    node: 'local',
    command,
    env: {},
    envFromHost: [],
    workingDirectory: tmpdir(),
    resources: { requests: { cpuMilli: 100, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
    terminationGraceMs: 2000,
    ...change,
  };
}

/** Collects what a driver tells, and waits for what is to come. */
export class EventLog {
  readonly events: DriverEvent[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(driver: ProcessDriver) {
    driver.watch((event) => {
      this.events.push(event);
      for (const look of this.#waiting) look();
    });
  }

  /** The first event that is wanted, of those that came since `from` or of those to come. */
  event<Type extends DriverEvent['type']>(
    type: Type,
    wanted: (event: Extract<DriverEvent, { type: Type }>) => boolean = () => true,
    from = 0,
  ): Promise<Extract<DriverEvent, { type: Type }>> {
    const isWanted = (event: DriverEvent): event is Extract<DriverEvent, { type: Type }> =>
      event.type === type && wanted(event as Extract<DriverEvent, { type: Type }>);
    return this.#first(() => this.events.slice(from).find(isWanted), `${type} event`);
  }

  /** The replica as it was told in that phase, by an event or a snapshot. */
  phase(id: string, phase: ReplicaObservation['phase'], from = 0): Promise<ReplicaObservation> {
    const told = () =>
      this.events.slice(from).flatMap((event) => {
        if (event.type === 'replica') return [event.replica];
        return event.type === 'snapshot' ? event.replicas : [];
      });
    return this.#first(() => told().find((seen) => seen.id === id && seen.phase === phase), `${id} ${phase}`);
  }

  /** The run as it was told in that phase, by an event or a snapshot. */
  run(id: string, phase: RunObservation['phase'], from = 0): Promise<RunObservation> {
    return this.#first(() => this.#runs(id, from).find((seen) => seen.phase === phase), `run ${id} ${phase}`);
  }

  /** Phases of a run in order, without repetitions. */
  runPhases(id: string): string[] {
    const all = this.#runs(id, 0).map(({ phase }) => phase);
    return all.filter((phase, index) => phase !== all[index - 1]);
  }

  #runs(id: string, from: number): RunObservation[] {
    return this.events.slice(from).flatMap((event) => {
      const runs = event.type === 'run' ? [event.run] : event.type === 'snapshot' ? (event.runs ?? []) : [];
      return runs.filter((seen) => seen.id === id);
    });
  }

  #first<Found>(find: () => Found | undefined, what: string): Promise<Found> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`no ${what}; came: ${JSON.stringify(this.events.slice(-6), null, 1)}`));
      }, 20_000);
      this.#waiting.add(look);
      look();
    });
  }

  /** Phases of a replica in order, without repetitions. */
  phases(id: string): string[] {
    const all = this.events.flatMap((event) =>
      event.type === 'replica' && event.replica.id === id ? [event.replica.phase] : [],
    );
    return all.filter((phase, index) => phase !== all[index - 1]);
  }
}

/** Polls until the answer is true, at most ten seconds. */
export async function until(answer: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!(await answer())) {
    if (performance.now() > endMs) throw new Error('did not come true within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** An HTTP worker that listens after some time and is ready after some more. */
export function worker({ listenAfterMs = 0, readyAfterMs = 0 } = {}): string {
  return `
    import { createServer } from 'node:net';
    let ready = false;
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        const [status, text] = ready ? ['200 OK', 'hello'] : ['503 Loading', 'loading'];
        socket.end('HTTP/1.1 ' + status + '\\r\\nContent-Length: ' + text.length + '\\r\\nConnection: close\\r\\n\\r\\n' + text);
      });
    });
    const now = () => Number(process.hrtime.bigint() / 1000n);
    setTimeout(() => server.listen(Number(process.env.PORT), '127.0.0.1', () => {
      console.log('listening ' + now());
      setTimeout(() => { ready = true; console.log('ready ' + now()); }, ${readyAfterMs});
    }), ${listenAfterMs});
  `;
}

/** Every line of a tail. */
export async function allLines(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
