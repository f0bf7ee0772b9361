// Consolidation of a thousand nodes that are less than half full: how long it takes, what it saves, and that it ends.
import { applyMove, consolidate } from '../packages/core/dist/index.js';
import { inputOf, podOf, reserve } from './placementCases.mjs';

const bar = { seconds: 5 };
const shapes = [
  [0.25, 0.5],
  [0.5, 1],
  [1, 2],
  [1, 4],
  [2, 4],
  [2, 8],
];

/** Nodes of each offering in turn, with pods on a fifth to two fifths of their processors; small ones stay empty. */
export function clusterOf(count, offerings) {
  const base = inputOf({ pods: [], offerings });
  const [pool] = base.pools;
  let next = 0;
  const nodes = Array.from({ length: count }, (_, n) => {
    const offering = offerings[n % offerings.length];
    const { instanceType, region, zone, capacityType } = offering;
    const free = {
      cpuMilli: instanceType.cpuMilli - reserve.cpuMilli,
      memoryBytes: Math.floor(instanceType.memoryBytes * (1 - reserve.memoryShare)) - reserve.memoryBytes,
      pods: instanceType.maxPods,
    };
    const pods = [];
    for (let cores = 0; ; ) {
      const [cpu, memory] = shapes[(next * 7 + n) % shapes.length];
      if ((cores + cpu) * 1000 > free.cpuMilli * (0.2 + 0.25 * ((n * 13) % 10) * 0.1)) break;
      cores += cpu;
      const pod = podOf(`pod-${next++}`, cpu, memory, 0);
      const place = { id: pod.id, gpus: [], instances: [] };
      pods.push({ pod, place, loadMs: 20_000, inFlight: next % 5 === 0 ? 1 : 0, doNotDisrupt: next % 97 === 0 });
    }
    return {
      empty: {
        ...{ name: `node-${n}`, pool: pool.name, labels: {}, taints: [], zone, region, cluster: 'local', capacityType },
        ...{ free, gpu: null, sharing: { kind: 'none' }, gpuUse: [], pods: [] },
      },
      ...{ offering, interruptionsPerHour: 0, pods, readyAtMs: 0, quietSinceMs: 0 },
      ...{ doNotDisrupt: false, isGoing: false, notice: null, outdated: null },
    };
  });
  return {
    nowMs: 3_600_000,
    nodes,
    pools: [
      {
        pool: { ...pool, startMs: 60_000 },
        ...{ policy: 'WhenEmptyOrUnderutilized', delayMs: 60_000, delayAfterScaleUpMs: 0 },
        ...{ utilizationBelow: null, gpuUtilizationBelow: null, budgets: [], minNodes: 0, warmSpares: 0 },
        isSurgeAllowed: true,
      },
    ],
    settings: base.settings,
    gain: { minPerHourMicro: 10_000, minShare: 0.05, paybackMs: 3_600_000 },
  };
}

/** Says whether the bar is met. */
export function measureConsolidation({ solver, workUnits, offerings }) {
  const input = clusterOf(1000, offerings);
  const pods = input.nodes.reduce((sum, one) => sum + one.pods.length, 0);
  const before = performance.now();
  const made = consolidate(input, { solver, workUnits });
  const seconds = (performance.now() - before) / 1000;
  const beforeAgain = performance.now();
  const again = consolidate(made.moves.reduce(applyMove, input), { solver: null, workUnits });
  const againSeconds = (performance.now() - beforeAgain) / 1000;
  if (made.isComplete && again.moves.length > 0) throw new Error('what was consolidated is consolidated again');
  const gone = made.moves.flatMap(({ remove }) => remove).length;
  const bought = made.moves.flatMap(({ buy }) => buy).length;
  const saved = (1 - made.costAfterMicro / made.costBeforeMicro) * 100;
  console.log(
    `\nconsolidation of 1,000 nodes with ${pods} pods: ${seconds.toFixed(2)} s, × the bar ${(seconds / bar.seconds).toFixed(2)}`,
  );
  console.log(
    `  ${gone} nodes go, ${bought} come, ${saved.toFixed(1)} % saved; now ${((made.gap ?? Number.POSITIVE_INFINITY) * 100).toFixed(1)} % over the bound; ` +
      `${made.isComplete ? 'nothing more to move' : 'the budget ended the search'} (${made.workUnits} units; asked again ${againSeconds.toFixed(2)} s)`,
  );
  return seconds <= bar.seconds;
}
