import { kedaInput } from './builders.ts';
import { SeededRandom } from './random.ts';
import { VirtualSystem } from './virtualSystem.ts';

export interface JobChaosReport {
  seed: number;
  messages: number;
  /** Deliveries that ended in an acknowledgement; more than the messages where one was done twice. */
  acknowledged: number;
  deliveries: number;
  kills: Record<string, number>;
  mostAtOnce: number;
}

/**
 * A queue with acknowledgements, as RabbitMQ's: a delivered message that is not acknowledged returns when the worker's
 * connection is gone. Nothing else happens to it, also not when the broker is restarted.
 */
class VirtualQueue {
  readonly #ready: number[] = [];
  readonly #delivered = new Map<string, number>();
  readonly done = new Map<number, number>();
  deliveries = 0;
  isUp = true;
  onChange: () => void = () => {};

  publish(message: number): void {
    this.#ready.push(message);
    this.onChange();
  }

  /** A worker takes the next message, or none where there is none or the broker is away. */
  take(worker: string): boolean {
    const message = this.isUp ? this.#ready.shift() : undefined;
    if (message === undefined) return false;
    this.deliveries++;
    this.#delivered.set(worker, message);
    this.onChange();
    return true;
  }

  /** The worker has ended: acknowledged before, or not. */
  leave(worker: string, isDone: boolean): void {
    const message = this.#delivered.get(worker);
    if (message === undefined) return;
    this.#delivered.delete(worker);
    // An acknowledgement that the broker did not hear is none.
    if (isDone && this.isUp) this.done.set(message, (this.done.get(message) ?? 0) + 1);
    else this.#ready.unshift(message);
    this.onChange();
  }

  get waiting(): number {
    return this.#ready.length;
  }
}

/**
 * One seeded run of a ScaledJob under kills of the control plane, the agent, the workers and the broker, until every
 * message is acknowledged. Throws when a message vanishes or more Jobs run than the maximum.
 */
export async function runJobChaos(seed: number, messages: number): Promise<JobChaosReport> {
  const random = new SeededRandom(seed);
  const queue = new VirtualQueue();
  const maxReplicas = random.integer(2, 40);
  const kills = { controlPlane: 0, agent: 0, worker: 0, broker: 0 };
  let running = 0;
  let mostAtOnce = 0;

  const system = new VirtualSystem({
    seed,
    runPlan: (_start, one) => ({ spawnUs: one.logNormal(5000, 0.3), runUs: one.logNormal(2_000_000, 0.7) }),
  });
  const { clock, driver, triggers } = system;
  driver.runs.killChance = random.chance(0.5) ? 0.1 : 0.02;
  driver.runs.onBegin = ({ id }) => {
    running++;
    mostAtOnce = Math.max(mostAtOnce, running);
    queue.take(id);
  };
  driver.runs.onEnd = ({ id }, { phase }) => {
    running--;
    if (phase !== 'succeeded') kills.worker++;
    queue.leave(id, phase === 'succeeded');
  };
  const say = () => triggers.set('queue', queue.isUp ? queue.waiting : { error: 'the broker is away' });
  queue.onChange = say;

  await system.start();
  const strategy = random.chance(0.5) ? 'accurate' : 'default';
  const template = { backoffLimit: 6, template: { spec: { containers: [{ name: 'main', command: ['work'] }] } } };
  await system.await(
    system.engine.apply([
      kedaInput(
        'ScaledJob',
        'worker',
        {
          jobTargetRef: template,
          maxReplicaCount: maxReplicas,
          pollingInterval: 5,
          scalingStrategy: { strategy },
          triggers: [{ type: 'queue', name: 'queue', metadata: { target: '1' } }],
        },
        random.chance(0.7) ? { 'ebb.dev/improvements': 'true' } : {},
      ),
    ]),
  );
  for (let message = 0; message < messages; message++) queue.publish(message);

  const mostRounds = messages * 20 + 2000;
  for (let round = 0; queue.done.size < messages; round++) {
    if (round > mostRounds) {
      throw new Error(`${messages - queue.done.size} of ${messages} messages are not done; ${queue.waiting} wait`);
    }
    await clock.advance(random.exponential(800));
    const roll = random.next();
    if (roll < 0.06) {
      kills.controlPlane++;
      system.kill();
      await clock.advance(random.exponential(3000));
      await system.start();
    } else if (roll < 0.12) {
      kills.agent++;
      driver.disconnect();
      await clock.advance(random.exponential(2000));
      driver.reconnect();
    } else if (roll < 0.16) {
      kills.broker++;
      queue.isUp = false;
      say();
      await clock.advance(random.exponential(4000));
      queue.isUp = true;
      say();
    }
    if (mostAtOnce > maxReplicas) throw new Error(`${mostAtOnce} Jobs ran at once, the maximum is ${maxReplicas}`);
  }
  await clock.advance(120_000);
  const left = system.engine.scaledJobs()[0];
  if (!left || running > 0) throw new Error(`${running} processes run though the queue is empty`);
  await system.stop();
  const acknowledged = [...queue.done.values()].reduce((sum, times) => sum + times, 0);
  return { seed, messages, acknowledged, deliveries: queue.deliveries, kills, mostAtOnce };
}
