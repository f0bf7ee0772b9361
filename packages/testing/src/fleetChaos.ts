import type { NodeObservation } from '@ebb/core';
import type { WorkloadInput } from '@ebb/documents';
import { clusterInput, nodePoolInput, offering, workloadDocument } from './builders.ts';
import { bursts, startLoad } from './load.ts';
import { SeededRandom } from './random.ts';
import { VirtualSystem } from './virtualSystem.ts';

export interface FleetChaosReport {
  seed: number;
  bought: number;
  requests: Record<string, number>;
  faults: Record<string, number>;
}

const cluster = 'cloud';
const gib = 1024 ** 3;
const zones = ['r1a', 'r1b'];
const offerings = zones.flatMap((zone) => [
  offering('small', 0.1, { zone, cpuMilli: 2000, memoryBytes: 8 * gib }),
  offering('large', 0.35, { zone, cpuMilli: 8000, memoryBytes: 32 * gib }),
  offering('small', 0.03, { zone, cpuMilli: 2000, memoryBytes: 8 * gib, capacityType: 'spot' }),
]);
const maxNodes = 8;

/**
 * One seeded run of the engine with rented machines under faults of the cloud, the link to it, the store and the control plane; then
 * quiet. Throws when more machines are had than allowed, when one is ended under a replica that runs, or when in the end something is
 * left that costs. The same seed gives the same run.
 */
export async function runFleetChaos(seed: number, activeMs = 600_000): Promise<FleetChaosReport> {
  return new FleetChaosRun(seed).run(activeMs);
}

class FleetChaosRun {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #system: VirtualSystem;
  readonly #faults: Record<string, number> = {};
  readonly #documents = new Map<string, WorkloadInput>();
  readonly #foreign = new Set<string>();
  readonly #stopRefusals: (() => void)[] = [];
  #violation: Error | null = null;
  #troubled = true;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#system = new VirtualSystem({
      seed,
      offerings,
      plan: (_start, random) => ({
        spawnUs: 30_000,
        listenUs: random.logNormal(150_000, 0.5),
        readyUs: random.logNormal(700_000, 0.6),
      }),
      nodePlan: (_launch, random) => {
        const runningMs = random.logNormal(40_000, 0.4);
        const plan = { bootingMs: 2000, runningMs, readyMs: runningMs + random.logNormal(5000, 0.5) };
        if (!this.#troubled) return plan;
        if (random.chance(0.05)) return { ...plan, readyMs: Number.POSITIVE_INFINITY };
        return random.chance(0.05) ? { ...plan, diesAfterMs: random.integer(1000, 300_000) } : plan;
      },
    });
    this.#system.cloud.listen(({ node }) => this.#changed(node));
  }

  async run(activeMs: number): Promise<FleetChaosReport> {
    const { clock, gateway, cloud } = this.#system;
    await this.#system.start();
    await this.#system.applyInputs(
      clusterInput(cluster, { type: 'rehearsal', cloud: 'aws', region: 'r1' }),
      nodePoolInput('cpu', {
        cluster,
        capacityTypes: ['spot', 'on-demand'],
        maxNodes,
        warmSpares: this.#random.integer(0, 1),
        startStages: { boot: '40s', driver: '5s' },
        startTimeout: '5m',
        consolidation: { delay: '20s' },
        disruptionBudgets: [{ nodes: '50%' }],
      }),
    );
    for (const name of ['w0', 'w1']) await this.#apply(name);
    for (const name of this.#documents.keys()) this.#load(name, activeMs);
    const untilMs = clock.nowMs() + activeMs;
    while (clock.nowMs() < untilMs) {
      await clock.advance(this.#random.exponential(activeMs / 12));
      if (clock.nowMs() < untilMs) await this.#breakSomething();
      if (this.#violation) throw this.#violation;
    }
    await this.#calmDown();
    if (this.#violation) throw this.#violation;
    this.#checkQuiet();
    await this.#system.stop();
    const requests = Object.groupBy(gateway.exchanges, (exchange) => exchange.outcome ?? 'lost');
    return {
      seed: this.#seed,
      bought: cloud.bought.length,
      requests: Object.fromEntries(Object.entries(requests).map(([outcome, list]) => [outcome, list?.length ?? 0])),
      faults: this.#faults,
    };
  }

  #workload(name: string, more: Partial<WorkloadInput['spec']['scaling']> = {}): WorkloadInput {
    const cpu = this.#random.pick([0.5, 1, 1.5]);
    return workloadDocument(name, {
      classes: [
        {
          ...{ name: 'default', command: ['serve', String(this.#random.integer(1, 99))], concurrency: 2 },
          resources: { requests: { cpu, memory: '1Gi' } },
        },
      ],
      interruption: name === 'w1' ? 'allowed' : 'never',
      placement: { clusters: [cluster] },
      scaling: { minReplicas: 0, maxReplicas: 6, keepAlive: '60s', policy: { type: 'windows' }, ...more },
      serving: { drain: '10s', timeouts: { hold: '5m' } },
    });
  }

  async #apply(name: string): Promise<void> {
    const document = this.#workload(name);
    this.#documents.set(name, document);
    await this.#system.apply(document);
  }

  #load(name: string, forMs: number): void {
    const random = this.#random.fork(`load ${name}`);
    startLoad({
      clock: this.#system.clock,
      gateway: this.#system.gateway,
      workload: `local/default/${name}`,
      arrivals: bursts(random, random.pick([0.5, 2]), 120_000),
      serviceUs: () => random.logNormal(800_000, 0.7),
      forMs,
    });
  }

  /** What the cloud does at once shows whether it was told to do too much. */
  #changed(node: NodeObservation): void {
    const { cloud, driver } = this.#system;
    if (node.phase === 'requested') {
      const mine = cloud.machines().filter((one) => one.phase !== 'stopping' && !this.#isForeign(one));
      if (mine.length > maxNodes) this.#broken(`${mine.length} machines are had, ${maxNodes} are allowed`);
    }
    if (node.phase !== 'stopping') return;
    const there = driver.replicas().filter((one) => one.node === node.id && one.phase === 'ready');
    if (there.length > 0) this.#broken(`machine ${node.id} is ended under ${there.map(({ id }) => id).join()}`);
  }

  async #breakSomething(): Promise<void> {
    const { clock, cloud, driver, store, providers } = this.#system;
    const random = this.#random;
    const later = (meanMs: number, action: () => void) => clock.afterUs(random.exponential(meanMs * 1000), action);
    const some = () => {
      const own = cloud.machines().filter((one) => one.id !== null && !this.#isForeign(one));
      return own.length > 0 ? (random.pick(own).id ?? '') : '';
    };
    const faults: Record<string, () => void | Promise<void>> = {
      'stock-out': () => {
        const stop = cloud.refuse({ capacityType: random.pick(['spot', 'on-demand']) }, 'stock-out');
        this.#stopRefusals.push(stop);
        later(120_000, stop);
      },
      quota: () => {
        const stop = cloud.refuse({ instanceType: random.pick(['small', 'large']) }, 'quota');
        this.#stopRefusals.push(stop);
        later(300_000, stop);
      },
      throttled: () => {
        cloud.throttle(2000);
        later(30_000, () => cloud.throttle(null));
      },
      'answers lost': () => cloud.loseAnswers(random.integer(1, 3)),
      'provider away': () => {
        const provider = providers.get(cluster);
        provider?.disconnect();
        later(60_000, () => provider?.reconnect());
      },
      'machine dies': () => cloud.kill(some()),
      'machine vanishes': () => {
        cloud.vanish(some());
        const provider = providers.get(cluster);
        provider?.disconnect();
        provider?.reconnect();
      },
      'machine does not answer': () => {
        const id = some();
        cloud.hang(id);
        later(60_000, () => cloud.recover(id));
      },
      interruption: () => cloud.interrupt(some(), random.pick([30_000, 120_000])),
      rebalance: () => cloud.notice(some(), 'rebalance'),
      foreign: () => {
        const where = {
          cloud: 'aws',
          region: 'r1',
          zone: 'r1a',
          instanceType: 'small',
          capacityType: 'on-demand' as const,
        };
        this.#foreign.add(cloud.addForeign(cluster, where));
      },
      'clock skew': () => {
        cloud.skewMs = random.integer(-7_200_000, 7_200_000);
      },
      'store fails': () => {
        const error = new Error('disk full');
        store.faults.fail = (operation) =>
          /state.save|writeNodes/.test(operation) && random.chance(0.7) ? error : null;
        later(10_000, () => {
          delete store.faults.fail;
        });
      },
      'control plane killed': async () => {
        this.#system.kill();
        await clock.advance(random.exponential(5000));
        driver.reconnect();
        delete store.faults.fail;
        await this.#system.start();
      },
      'control plane restarted': async () => {
        delete store.faults.fail;
        await this.#system.stop();
        await clock.advance(random.exponential(1000));
        await this.#system.start();
      },
      'new template': () => this.#apply(random.pick([...this.#documents.keys()])),
    };
    const name = random.pick(Object.keys(faults));
    this.#faults[name] = (this.#faults[name] ?? 0) + 1;
    await faults[name]?.();
  }

  async #calmDown(): Promise<void> {
    const { cloud, store, driver, clock, providers } = this.#system;
    this.#troubled = false;
    store.faults = {};
    for (const stop of this.#stopRefusals) stop();
    cloud.throttle(null);
    cloud.skewMs = 0;
    driver.reconnect();
    providers.get(cluster)?.reconnect();
    // Longer than hold time, keep-alive, start time-out, back-off and consolidation together.
    await clock.advance(1_800_000);
  }

  #checkQuiet(): void {
    const { engine, cloud, store, gateway } = this.#system;
    if (gateway.openCount() > 0) this.#broken(`${gateway.openCount()} requests have no outcome`);
    for (const { name, replicaList } of engine.statuses()) {
      if (replicaList.length > 0) this.#broken(`${name} is not at zero: ${JSON.stringify(replicaList)}`);
    }
    const [fleet] = engine.fleets();
    const spares = fleet?.nodes.filter(({ phase, replicas }) => phase === 'ready' && replicas.length === 0) ?? [];
    const left = cloud.machines().filter((one) => !this.#isForeign(one));
    const documents = JSON.stringify(left.map(({ id, phase }) => [id, phase]));
    if (left.length !== spares.length || left.length > 1)
      this.#broken(`machines are left: ${documents}, ${JSON.stringify(fleet)}`);
    for (const id of this.#foreign) {
      const isThere = cloud.machines().some(({ providerId }) => providerId === id);
      if (!isThere) this.#broken(`machine ${id}, which is none of ours, was ended`);
      if (!fleet?.reasons.some(({ sentence }) => sentence.includes(id))) this.#broken(`machine ${id} is not named`);
    }
    const open = [...store.nodeRows.values()].filter(({ toMs }) => toMs === null).map(({ node }) => node);
    const own = left.map(({ id }) => id ?? '');
    if (open.sort().join() !== own.sort().join()) this.#broken(`the ledger has [${open}] open, [${own}] are there`);
    const ids = cloud.bought.map(({ id }) => id);
    if (new Set(ids).size !== ids.length) this.#broken('an id was bought twice');
    if (this.#violation) throw this.#violation;
  }

  #isForeign({ providerId }: NodeObservation): boolean {
    return this.#foreign.has(providerId ?? '');
  }

  #broken(what: string): void {
    const atMs = this.#system.clock.nowMs();
    this.#violation ??= new Error(`${new Date(atMs).toISOString()} ${what}\n${JSON.stringify(this.#faults)}`);
  }
}
