import { randomUUID } from 'node:crypto';
import {
  type ExistingNode,
  type NodeLaunch,
  type NodeObservation,
  type Offering,
  type Plan,
  ProviderError,
} from '@ebb/core';
import type { NodePoolSpec } from '@ebb/documents';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import type { Machines } from '../nodes/machines.ts';
import { durationText } from '../text/format.ts';
import { poolOfKey, type Prepared } from './asked.ts';

/** One machine that was asked for. */
export interface Launched {
  id: string;
  pool: string;
  offering: Offering;
  /** How many replicas of what it was rented for. */
  runs: ReadonlyMap<string, number>;
  /** `up`: it runs; `short`: it cannot be had now; `failed`; `left`: asked for when the command was interrupted. */
  state: 'up' | 'short' | 'failed' | 'left';
  message: string;
  node: NodeObservation | null;
}

/** Where offerings cannot be had, another plan may do without them. */
const shortCodes: readonly string[] = ['stock-out', 'quota', 'unknown-offering'];
const againCodes: readonly string[] = ['throttled', 'unavailable'];
const firstWaitMs = 1000;
const longestWaitMs = 60_000;
/** Machines asked for at the same time. */
const atOnce = 8;

/** Throws a `Failure` (usage) where a plan cannot be carried out at all: before anything is asked. */
export async function checkApplicable(
  { buy }: Plan,
  prepared: Prepared,
  pools: readonly NodePoolSpec[],
  machines: Machines,
): Promise<void> {
  for (const { pool } of buy) {
    const cluster = prepared.input.pools.find(({ name }) => name === pool)?.cluster ?? '';
    await machines.of(cluster);
    if (poolOfKey(pools, pool)) continue;
    throw new Failure('usage', `cluster ${cluster} has no NodePool: it says how machines are made.`, [
      'without one the plan is for looking only',
    ]);
  }
}

/** Rents what a plan buys, and waits until each machine runs or it is clear that it will not. Never throws for a single machine. */
export async function rentAll(
  context: EbbContext,
  plan: Plan,
  prepared: Prepared,
  { pools, machines, stop }: { pools: readonly NodePoolSpec[]; machines: Machines; stop: AbortSignal },
): Promise<Launched[]> {
  const nameOf = new Map(prepared.groups.flatMap(({ name, ids }) => ids.map((id) => [id, name] as const)));
  const wanted = plan.buy.map((node) => {
    const pool = prepared.input.pools.find(({ name }) => name === node.pool);
    const entry = pool?.offerings.find(({ offering }) => offering.id === node.offering);
    const spec = poolOfKey(pools, node.pool);
    if (!pool || !entry || !spec)
      throw new Error(`the plan buys ${node.offering} of ${node.pool}, which is not offered`);
    const runs = new Map<string, number>();
    for (const { id } of node.pods) {
      const name = nameOf.get(id) ?? id;
      runs.set(name, (runs.get(name) ?? 0) + 1);
    }
    return {
      launch: launchOf(spec, entry.offering, pool.labels, machines.clock.nowMs()),
      spec,
      offering: entry.offering,
      runs,
    };
  });
  const results: Launched[] = [];
  const rest = [...wanted];
  const worker = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) {
      const { launch, spec, offering, runs } = one;
      if (stop.aborted) {
        results.push({
          id: launch.id,
          pool: launch.pool,
          offering,
          runs,
          state: 'left',
          message: 'not asked for',
          node: null,
        });
        continue;
      }
      const outcome = await rentOne(context, launch, spec.startTimeoutMs, machines, stop);
      results.push({ id: launch.id, pool: launch.pool, offering, runs, ...outcome });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, wanted.length) }, worker));
  return results;
}

function launchOf(
  spec: NodePoolSpec,
  offering: Offering,
  labels: Readonly<Record<string, string>>,
  askedAtMs: number,
): NodeLaunch {
  const { cluster, namespace, name } = spec.key;
  const { region, zone, capacityType, instanceType } = offering;
  return {
    id: `${cluster.slice(0, 20)}-${name.slice(0, 30)}-${randomUUID().slice(0, 8)}`,
    cluster,
    pool: `${cluster}/${namespace}/${name}`,
    offering: { cloud: instanceType.cloud, region, zone, instanceType: instanceType.name, capacityType },
    pricePerHourMicro: offering.pricePerHourMicro,
    labels,
    taints: spec.taints,
    startupTaints: spec.startupTaints,
    startStages: spec.startStages,
    askedAtMs,
  };
}

type Outcome = Pick<Launched, 'state' | 'message' | 'node'>;

async function rentOne(
  context: EbbContext,
  launch: NodeLaunch,
  startTimeoutMs: number,
  machines: Machines,
  stop: AbortSignal,
): Promise<Outcome> {
  const { clock } = machines;
  const untilMs = clock.nowMs() + startTimeoutMs;
  const { instanceType, capacityType, zone, region } = launch.offering;
  const tell = (what: string) => context.note(`${launch.id}  ${what}`);
  tell(`asked for ${instanceType} ${capacityType} in ${zone === '*' ? region : zone}`);
  const provider = await machines.of(launch.cluster);
  const coming = new Coming(launch.id, (node) =>
    tell([node.phase, node.message].filter((part) => part !== '').join('  ')),
  );
  const unwatch = provider.watch((event) => {
    if (event.type === 'node') coming.see([event.node]);
    else if (event.type === 'snapshot') coming.see(event.nodes);
  });
  try {
    const refused = await askUntil(launch, { provider, clock, untilMs, stop, tell });
    if (refused !== null) return refused;
    const node = await coming.end(clock, untilMs, stop);
    if (node === 'stopped') return { state: 'left', message: 'interrupted while it started', node: null };
    if (node === 'late') {
      await provider.terminate({ id: launch.id });
      const message = `did not run within ${durationText(startTimeoutMs)}, and was ended`;
      tell(message);
      return { state: 'failed', message, node: null };
    }
    if (node.phase !== 'gone') {
      tell(`is up after ${durationText(clock.nowMs() - launch.askedAtMs)}`);
      return { state: 'up', message: node.message, node };
    }
    const isShort = node.failure !== null && shortCodes.includes(node.failure);
    return { state: isShort ? 'short' : 'failed', message: node.message, node };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell(`failed: ${message}`);
    return { state: 'failed', message, node: null };
  } finally {
    unwatch();
  }
}

interface AskOptions {
  provider: { launch(launch: NodeLaunch): Promise<void> };
  clock: Machines['clock'];
  untilMs: number;
  stop: AbortSignal;
  tell(what: string): void;
}

/** Asks with the same id until there is an answer; null: it was accepted. */
async function askUntil(
  launch: NodeLaunch,
  { provider, clock, untilMs, stop, tell }: AskOptions,
): Promise<Outcome | null> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    try {
      await provider.launch(launch);
      return null;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const { code, message, retryAfterMs } = error;
      tell(`${code}: ${message}`);
      if (shortCodes.includes(code)) return { state: 'short', message, node: null };
      if (!againCodes.includes(code)) return { state: 'failed', message, node: null };
      const againMs = clock.nowMs() + (retryAfterMs ?? waitMs);
      if (againMs > untilMs) return { state: 'failed', message, node: null };
      if (!(await passed(clock, againMs, stop)))
        return { state: 'left', message: 'interrupted while it was asked for', node: null };
    }
  }
}

/** Follows one machine. */
class Coming {
  readonly #id: string;
  readonly #tell: (node: NodeObservation) => void;
  #last: NodeObservation | null = null;
  #done: (() => void) | null = null;

  constructor(id: string, tell: (node: NodeObservation) => void) {
    this.#id = id;
    this.#tell = tell;
  }

  see(nodes: readonly NodeObservation[]): void {
    const node = nodes.find(({ id }) => id === this.#id);
    if (node === undefined) return;
    if (node.phase !== this.#last?.phase) this.#tell(node);
    this.#last = node;
    if (hasEnded(node)) this.#done?.();
  }

  async end(
    clock: Machines['clock'],
    untilMs: number,
    stop: AbortSignal,
  ): Promise<NodeObservation | 'late' | 'stopped'> {
    if (this.#last === null || !hasEnded(this.#last)) {
      const seen = new Promise<boolean>((resolve) => {
        this.#done = () => resolve(true);
      });
      const give = new AbortController();
      await Promise.race([seen, passed(clock, untilMs, AbortSignal.any([stop, give.signal]))]);
      give.abort();
    }
    if (this.#last !== null && hasEnded(this.#last)) return this.#last;
    return stop.aborted ? 'stopped' : 'late';
  }
}

const hasEnded = ({ phase }: NodeObservation): boolean => phase === 'running' || phase === 'ready' || phase === 'gone';

/** True once the clock is there; false when it was called off before. */
function passed(clock: Machines['clock'], atMs: number, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (stop.aborted) {
      resolve(false);
      return;
    }
    const cancel = clock.at(atMs, () => {
      stop.removeEventListener('abort', called);
      resolve(true);
    });
    const called = () => {
      cancel();
      resolve(false);
    };
    stop.addEventListener('abort', called, { once: true });
  });
}

/** Machines that came, as nodes of the next plan. */
export function asNodes(launched: readonly Launched[]): ExistingNode[] {
  return launched
    .filter(({ state }) => state === 'up')
    .map(({ id, pool, offering, runs, node }) => ({
      ...{ id, pool, runs, setAside: null, pricePerHourMicro: offering.pricePerHourMicro },
      cloud: offering.instanceType.cloud,
      region: offering.region,
      zone: node?.offering.zone ?? offering.zone,
      instanceType: offering.instanceType.name,
      capacityType: offering.capacityType,
    }));
}
