import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScaledJobStatus } from '@ebb/documents';
import { SeededRandom } from '@ebb/testing';
import { type RabbitMqService, startRabbitMq, until } from '@ebb/testing/services';
import { connect } from 'amqplib';
import { type Fault, type PlannedFault, planFaults } from './faultPlan.ts';
import { FirstWords } from './firstWords.ts';
import { type JobProcess, runsAtOnce } from './jobProcesses.ts';
import { KillableEbb } from './killableEbb.ts';

export interface JobsOptions {
  seed: number;
  messages: number;
  maxReplicas: number;
  /** Finished Jobs of each kind that are kept. */
  history: number;
  /** How many of each. */
  faults: Record<Fault, number>;
  /** A message takes from so long to so long. */
  workMs: [number, number];
  /** Without any message done for so long it has failed. */
  patienceMs: number;
  /** How often the processes are counted: often costs processor time. */
  lookEveryMs: number;
  onProgress?(progress: { done: number; faults: Record<Fault, number>; elapsedMs: number }): void;
}

export interface JobsReport {
  seed: number;
  messages: number;
  /** Different messages that were done. */
  done: number;
  /** Done again after that, since nobody could know. */
  doneAgain: number;
  /** Neither done nor in the queue any more. */
  vanished: string[];
  /** Jobs that found no message. */
  idle: number;
  mostAtOnce: number;
  faults: Record<Fault, number>;
  elapsedMs: number;
  cpuSeconds: { controlPlane: number; agent: number };
  /** At the end. */
  jobs: ScaledJobStatus['jobs'];
  processesLeft: number;
  messagesLeft: number;
}

const queue = 'tasks';
const settleMs = 30_000;

/**
 * Messages of a real RabbitMQ, one process for each by a ScaledJob of a real Ebb, while control plane, agent, workers and
 * the broker are killed with SIGKILL by a seeded plan. Ends when every message is done and everything is at rest.
 */
export async function runJobsUnderKills(options: JobsOptions): Promise<JobsReport> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-jobs-'));
  const rabbit = await startRabbitMq();
  let ebb: KillableEbb | null = null;
  try {
    await rabbit.createQueue(queue);
    const random = new SeededRandom(options.seed);
    await publish(rabbit, namesOf(options), random.fork('work'), options.workMs);
    const mark = `EBB_TEST_RUN=${folder}`;
    const file = join(folder, 'scaledjob.yaml');
    writeFileSync(file, JSON.stringify(scaledJob(options, `${rabbit.amqpUrl}%2F`, folder)), { mode: 0o600 });
    ebb = await KillableEbb.start([file]);
    return await new JobsRun(options, rabbit, ebb, folder, mark).run(random.fork('faults'));
  } finally {
    await ebb?.stop();
    await rabbit.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function namesOf({ messages }: JobsOptions): string[] {
  return Array.from({ length: messages }, (_, index) => `m${String(index).padStart(6, '0')}`);
}

/** Persistent, and confirmed by the broker before anything else happens. */
async function publish(
  rabbit: RabbitMqService,
  names: string[],
  random: SeededRandom,
  [leastMs, mostMs]: [number, number],
): Promise<void> {
  const connection = await connect(rabbit.amqpUrl);
  const channel = await connection.createConfirmChannel();
  for (const name of names) {
    const seconds = (random.integer(leastMs, mostMs) / 1000).toFixed(3);
    channel.sendToQueue(queue, Buffer.from(`${name} ${seconds}\n`), { persistent: true });
  }
  await channel.waitForConfirms();
  await connection.close();
}

/**
 * Takes exactly one message (a broken off one is none), works on it, writes its name down, and only then acknowledges it: amqp-consume does so when
 * its own child exits with 0. A Job that finds no message goes away again. (`--foreground`: timeout must not leave the
 * process group that the run is ended by.)
 */
const worker = `timeout --foreground 5 amqp-consume -u "$BROKER" -q ${queue} -c 1 -- \
/bin/sh -c 'read -r message seconds || exit 1; sleep "$seconds"; echo "$message $EBB_JOB" >>"$DONE"'
code=$?
[ $code = 124 ] || exit $code
echo "$EBB_JOB" >>"$IDLE"`;

function scaledJob({ maxReplicas, history }: JobsOptions, host: string, folder: string): object {
  const env = { BROKER: host, DONE: join(folder, 'done'), IDLE: join(folder, 'idle'), EBB_TEST_RUN: folder };
  const container = {
    name: 'main',
    command: ['/bin/sh', '-c', worker],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
  };
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledJob',
    metadata: { name: 'worker', annotations: { 'ebb.dev/improvements': 'true' } },
    spec: {
      jobTargetRef: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
      pollingInterval: 1,
      maxReplicaCount: maxReplicas,
      successfulJobsHistoryLimit: history,
      failedJobsHistoryLimit: history,
      scalingStrategy: { strategy: 'accurate' },
      triggers: [
        { type: 'rabbitmq', metadata: { hostFromEnv: 'BROKER', queueName: queue, mode: 'QueueLength', value: '1' } },
      ],
    },
  };
}

/** One run from the first message to the last. */
class JobsRun {
  readonly #options: JobsOptions;
  readonly #rabbit: RabbitMqService;
  readonly #ebb: KillableEbb;
  /** Names of messages, and of Jobs that found none, as the Jobs wrote them. */
  readonly #done: FirstWords;
  readonly #idle: FirstWords;
  readonly #mark: string;
  readonly #beganMs = performance.now();
  readonly #injected: Record<Fault, number> = { controlPlane: 0, agent: 0, both: 0, worker: 0, broker: 0 };
  #mostAtOnce = 0;

  constructor(options: JobsOptions, rabbit: RabbitMqService, ebb: KillableEbb, folder: string, mark: string) {
    this.#options = options;
    this.#rabbit = rabbit;
    this.#ebb = ebb;
    this.#done = new FirstWords(join(folder, 'done'));
    this.#idle = new FirstWords(join(folder, 'idle'));
    this.#mark = mark;
  }

  async run(random: SeededRandom): Promise<JobsReport> {
    const watching = this.#watch();
    try {
      await Promise.race([this.#work(random), watching.failed]);
    } finally {
      watching.end();
    }
    const elapsedMs = performance.now() - this.#beganMs;
    return this.#settled(elapsedMs);
  }

  async #work(random: SeededRandom): Promise<void> {
    const { messages, faults: counts } = this.#options;
    const plan = planFaults(random, messages, counts);
    for (const planned of plan) {
      await this.#untilDone(planned.atDone);
      if (await this.#inject(planned)) this.#injected[planned.fault]++;
    }
    await this.#untilDone(messages);
  }

  async #untilDone(count: number): Promise<void> {
    const { patienceMs } = this.#options;
    for (let last = -1, found = this.#done.counts().size; found < count; found = this.#done.counts().size) {
      if (found === last) {
        const status = JSON.stringify((await this.#ebb.status())?.scaledJobs ?? null);
        throw new Error(
          `${found} of ${this.#options.messages} messages are done and no more within ${patienceMs} ms: ${status}`,
        );
      }
      last = found;
      const more = () => this.#done.counts().size > found;
      await until(more, { withinMs: patienceMs, what: () => 'another message' }).catch(() => {});
    }
  }

  /** For whoever has to find out why it does not go on. */
  async #situation(): Promise<string> {
    const status = await this.#ebb.status();
    const { summary, jobs, triggers, jobList, conditions } = status?.scaledJobs?.[0] ?? {};
    const open = jobList?.filter(({ phase }) => phase === 'waiting' || phase === 'running');
    return JSON.stringify({
      done: this.#done.counts().size,
      faults: this.#injected,
      agent: status?.agent ?? 'no control plane answers',
      queue: await this.#messages().catch(String),
      ...{ summary, jobs, triggers, open, conditions },
    });
  }

  /** Whether it could be done. */
  async #inject({ fault, awayMs, target }: PlannedFault): Promise<boolean> {
    const ebb = this.#ebb;
    switch (fault) {
      case 'controlPlane':
      case 'both':
        ebb.killControlPlane();
        if (fault === 'both') ebb.killAgent();
        await pause(awayMs);
        await ebb.startControlPlane();
        return true;
      case 'agent':
        await ebb.untilConnected();
        ebb.killAgent();
        return true;
      case 'worker':
        return this.#killWorker(target);
      case 'broker':
        await this.#rabbit.kill();
        await pause(awayMs);
        await this.#rabbit.start();
        return true;
    }
  }

  /** Where all is done before, there is nobody to kill. */
  async #killWorker(target: 'group' | number): Promise<boolean> {
    let processes: JobProcess[] = [];
    const isThere = () => {
      processes = runsAtOnce(this.#mark).processes;
      return processes.length > 0 || this.#done.counts().size >= this.#options.messages;
    };
    await until(isThere, { withinMs: this.#options.patienceMs, what: () => 'a worker' }).catch(
      async (error: unknown) => {
        throw new Error(`no worker is there: ${await this.#situation()}`, { cause: error });
      },
    );
    const one = processes[Math.floor((target === 'group' ? 0 : target) * processes.length)];
    if (!one) return false;
    const whole = processes.filter(({ run }) => run === one.run).map(({ pid }) => pid);
    for (const pid of target === 'group' ? whole : [one.pid]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended by itself.
      }
    }
    return true;
  }

  /** Looks all the time whether more run at once than may. */
  #watch(): { failed: Promise<never>; end(): void } {
    const { maxReplicas, lookEveryMs, onProgress } = this.#options;
    const { promise: failed, reject } = Promise.withResolvers<never>();
    failed.catch(() => {});
    const timer = setInterval(() => {
      try {
        this.#mostAtOnce = Math.max(this.#mostAtOnce, runsAtOnce(this.#mark).count);
        this.#ebb.noteUsage();
        if (this.#mostAtOnce > maxReplicas) throw new Error(`${this.#mostAtOnce} runs at once, ${maxReplicas} may be`);
      } catch (error) {
        reject(error);
      }
      const elapsedMs = performance.now() - this.#beganMs;
      onProgress?.({ done: this.#done.counts().size, faults: this.#injected, elapsedMs });
    }, lookEveryMs);
    return { failed, end: () => clearInterval(timer) };
  }

  /** Waits until nothing runs and the broker holds no message, then counts. */
  async #settled(elapsedMs: number): Promise<JobsReport> {
    const { seed, messages, history } = this.#options;
    let jobs: ScaledJobStatus['jobs'] | undefined;
    let messagesLeft = -1;
    let processesLeft = -1;
    const isAtRest = async () => {
      jobs = (await this.#ebb.status())?.scaledJobs?.[0]?.jobs;
      messagesLeft = await this.#messages();
      processesLeft = runsAtOnce(this.#mark).processes.length;
      if (!jobs || jobs.running + jobs.waiting + messagesLeft + processesLeft > 0) return false;
      return jobs.succeeded <= history && jobs.failed <= history;
    };
    const what = () => `rest (found ${JSON.stringify({ jobs, messagesLeft, processesLeft })})`;
    await until(isAtRest, { withinMs: settleMs, what });
    this.#ebb.noteUsage();
    const counts = this.#done.counts();
    const names = namesOf(this.#options);
    const times = names.map((name) => counts.get(name) ?? 0);
    const vanished = names.filter((_, index) => times[index] === 0);
    const done = messages - vanished.length;
    return {
      seed,
      messages,
      done,
      doneAgain: times.reduce((sum, count) => sum + count, 0) - done,
      vanished,
      idle: this.#idle.counts().size,
      mostAtOnce: this.#mostAtOnce,
      faults: this.#injected,
      elapsedMs,
      cpuSeconds: { controlPlane: this.#ebb.usedSeconds('controlPlane'), agent: this.#ebb.usedSeconds('agent') },
      jobs: jobs ?? { waiting: 0, running: 0, succeeded: 0, failed: 0 },
      processesLeft,
      messagesLeft,
    };
  }

  /** Ready and delivered ones. Rejects while the broker, just started, has not counted them yet. */
  async #messages(): Promise<number> {
    const found = (await this.#rabbit.api('GET', `queues/%2F/${queue}`)) as { messages?: number };
    if (found.messages === undefined) throw new Error('the broker has not counted its messages yet');
    return found.messages;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
