import { resolveWorkload, type WorkloadInput } from '@ebb/documents';
import { workloadDocument } from './builders.ts';
import { Invariants } from './invariants.ts';
import { bursts, poisson, startLoad } from './load.ts';
import { SeededRandom } from './random.ts';
import { VirtualSystem } from './virtualSystem.ts';

export interface ChaosReport {
  seed: number;
  events: number;
  requests: Record<string, number>;
  faults: Record<string, number>;
  started: number;
  replayed: number;
}

export interface ChaosOptions {
  activeMs?: number;
  /** The link to the gateway falls behind again and again, under demand that comes and goes. */
  sluggish?: boolean;
}

type Fault = (random: SeededRandom) => void | Promise<void>;

/**
 * One seeded run of the whole system under faults: load on a workload or two while replicas crash, hang or do not start,
 * links break, the store fails, the control plane is killed and templates change; then quiet. Throws when an
 * invariant breaks at any event. The same seed gives the same run.
 */
export async function runChaos(seed: number, options: ChaosOptions = {}): Promise<ChaosReport> {
  const run = new ChaosRun(seed, options.sluggish ?? false);
  return run.run(options.activeMs ?? 60_000);
}

class ChaosRun {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #system: VirtualSystem;
  readonly #invariants: Invariants;
  readonly #documents = new Map<string, WorkloadInput>();
  readonly #faults: Record<string, number> = {};
  readonly #dependent: boolean;
  readonly #sluggish: boolean;
  #troubled = true;

  constructor(seed: number, sluggish: boolean) {
    this.#seed = seed;
    this.#sluggish = sluggish;
    this.#random = new SeededRandom(seed);
    this.#dependent = this.#random.chance(0.3);
    const failing = this.#random.chance(0.3) ? 0.15 : 0;
    const slow = this.#random.chance(0.3) ? 0.2 : 0;
    this.#system = new VirtualSystem({
      seed,
      plan: (_start, random) => {
        const plan = {
          spawnUs: random.logNormal(30_000, 0.3),
          listenUs: random.logNormal(150_000, 0.5),
          readyUs: random.logNormal(700_000, 0.6),
        };
        if (!this.#troubled) return plan;
        if (random.chance(failing)) return { ...plan, exitsAfterUs: random.integer(1000, 900_000) };
        if (random.chance(failing / 3)) {
          return { ...plan, failure: { code: 'command-not-found', message: 'command not found: serve' } };
        }
        return random.chance(slow) ? { ...plan, readyUs: Number.POSITIVE_INFINITY } : plan;
      },
    });
    this.#invariants = new Invariants(this.#system);
  }

  async run(activeMs: number): Promise<ChaosReport> {
    const { clock, gateway, store, driver } = this.#system;
    await this.#system.start();
    const count = this.#random.integer(1, 2);
    for (let index = 0; index < count; index++) await this.#apply(this.#document(`w${index}`));
    for (const name of this.#documents.keys()) this.#load(name, activeMs);
    const untilMs = clock.nowMs() + activeMs;
    while (clock.nowMs() < untilMs) {
      await clock.advance(this.#random.exponential(activeMs / 8));
      if (clock.nowMs() < untilMs) await this.#breakSomething();
    }
    await this.#calmDown();
    // Longer than hold time, drain time, keep-alive and the longest back-off together.
    await clock.advance(240_000);
    this.#invariants.checkQuiet();
    await this.#system.stop();
    const replayed = this.#invariants.checkReplay();
    const requests = Object.groupBy(gateway.exchanges, (exchange) => exchange.outcome ?? 'lost');
    return {
      seed: this.#seed,
      events: clock.events,
      requests: Object.fromEntries(Object.entries(requests).map(([outcome, list]) => [outcome, list?.length ?? 0])),
      faults: this.#faults,
      started: driver.started.length,
      replayed: store.records.length > 0 ? replayed : 0,
    };
  }

  #document(name: string): WorkloadInput {
    const random = this.#random;
    const minReplicas = random.chance(0.3) ? 1 : 0;
    const rolling = random.chance(0.7);
    const keepAlives = this.#sluggish ? ['1s', '2s'] : ['1s', '5s', '20s'];
    return workloadDocument(name, {
      classes: [
        {
          name: 'default',
          command: ['serve', String(random.integer(1, 1000))],
          concurrency: random.pick([1, 2, 4]),
          pricePerHour: 1,
        },
      ],
      probes: { startup: { budget: '5s' } },
      scaling: {
        minReplicas,
        maxReplicas: random.integer(2, 5) + (this.#sluggish ? 5 : 0),
        keepAlive: random.pick(keepAlives),
        ...(this.#sluggish ? { policy: { type: 'windows' as const } } : {}),
      },
      serving: { drain: this.#sluggish ? '10s' : random.pick(['2s', '10s']), timeouts: { hold: '20s' } },
      ...(name === 'w1' && this.#dependent ? { dependsOn: ['w0'] } : {}),
      update: rolling ? { type: 'Rolling', maxSurge: 1, maxUnavailable: random.integer(0, 1) } : { type: 'Recreate' },
    });
  }

  #load(name: string, forMs: number): void {
    const random = this.#random.fork(`load ${name}`);
    // Demand that comes and goes while the link is behind: drains begin, are taken back and begin again.
    const arrivals = this.#sluggish
      ? bursts(random, random.pick([3, 6]), random.pick([2000, 5000]))
      : poisson(random, random.pick([0.1, 0.5, 2, 4]));
    const usualUs = this.#sluggish ? 1_500_000 : 300_000;
    startLoad({
      clock: this.#system.clock,
      gateway: this.#system.gateway,
      workload: `local/default/${name}`,
      arrivals,
      serviceUs: () => random.logNormal(random.chance(0.02) ? 8_000_000 : usualUs, 0.7),
      forMs,
      patienceUs: () => (random.chance(0.05) ? random.integer(1000, 2_000_000) : null),
    });
  }

  async #apply(document: WorkloadInput): Promise<void> {
    this.#documents.set(document.metadata.name, document);
    const spec = resolveWorkload(document, { baseDirectory: '/' });
    const known = this.#invariants.specs.get(`local/default/${document.metadata.name}`);
    // While the change is on its way, the larger bounds hold.
    const wider = Math.max(spec.scaling.maxReplicas, known?.scaling.maxReplicas ?? 0);
    const longer = Math.min(spec.serving.drainMs, known?.serving.drainMs ?? spec.serving.drainMs);
    this.#invariants.expect({
      ...spec,
      scaling: { ...spec.scaling, maxReplicas: wider },
      serving: { ...spec.serving, drainMs: longer },
      update: { type: 'Rolling', maxSurge: 1, maxUnavailable: 0 },
    });
    await this.#system.apply(document);
  }

  async #breakSomething(): Promise<void> {
    const { clock, driver, gateway, store } = this.#system;
    const later = (meanMs: number, action: () => void) =>
      clock.afterUs(this.#random.exponential(meanMs * 1000), action);
    const someReplica = () => {
      const all = driver.replicas();
      return all.length > 0 ? this.#random.pick(all).id : null;
    };
    const faults: Record<string, Fault> = {
      crash: () => {
        const id = someReplica();
        if (id) driver.crash(id);
      },
      hang: () => {
        const id = someReplica();
        if (!id) return;
        driver.hang(id);
        later(4000, () => driver.recover(id));
      },
      'hang for good': () => {
        const id = someReplica();
        if (id) driver.hang(id);
      },
      'link cut': () => {
        const link = this.#system.link;
        link.cut();
        later(3000, () => {
          if (this.#system.isRunning && this.#system.link === link) link.connect();
        });
      },
      'link falls behind': () => this.#system.link.fallBehind(this.#random.integer(5_000, 20_000)),
      'agent away': () => {
        driver.disconnect();
        later(3000, () => driver.reconnect());
      },
      'machine reboot': () => {
        driver.disconnect();
        driver.reboot();
        later(500, () => driver.reconnect());
      },
      'store fails': () => {
        const failing = this.#random.pick(['journal.append', 'ledger.write', 'state.save']);
        const error = new Error(`disk full (${failing})`);
        store.faults.fail = (operation) => (operation === failing && this.#random.chance(0.7) ? error : null);
        later(5000, () => {
          delete store.faults.fail;
        });
      },
      'store is slow': () => {
        store.faults.delay = (operation) => (operation.startsWith('documents') ? null : clock.delay(300));
        later(5000, () => {
          delete store.faults.delay;
        });
      },
      'control plane killed': async () => {
        this.#system.kill();
        await clock.advance(this.#random.exponential(3000));
        driver.reconnect();
        delete store.faults.fail;
        await this.#system.start();
      },
      'control plane restarted': async () => {
        delete store.faults.fail;
        await this.#system.stop();
        await clock.advance(this.#random.exponential(1000));
        driver.reconnect();
        await this.#system.start();
      },
      'gateway killed': () => gateway.restart(),
      'new template': async () => this.#apply(this.#document(this.#random.pick([...this.#documents.keys()]))),
      'deleted and back': async () => {
        const name = this.#random.pick([...this.#documents.keys()]);
        const { engine } = this.#system;
        // A store that does not take it refuses the deletion; that is another test's.
        delete store.faults.fail;
        await this.#system.await(engine.remove('Workload', { cluster: 'local', namespace: 'default', name }));
        if (this.#random.chance(0.3)) {
          this.#system.kill();
          driver.reconnect();
          delete store.faults.fail;
          await this.#system.start();
        }
        await clock.advance(this.#random.exponential(2000));
        await this.#apply(this.#document(name));
      },
    };
    const isBehind = this.#sluggish && this.#random.chance(0.9);
    const name = isBehind ? 'link falls behind' : this.#random.pick(Object.keys(faults));
    this.#faults[name] = (this.#faults[name] ?? 0) + 1;
    await faults[name]?.(this.#random);
  }

  async #calmDown(): Promise<void> {
    this.#troubled = false;
    const { driver, store } = this.#system;
    store.faults = {};
    driver.reconnect();
    this.#system.link.connect();
  }
}
