// One more pod for a fleet of a thousand nodes: the whole step, from what is there to what is done.
import { fleetStep } from '../packages/core/dist/index.js';
import { inputOf, podOf } from './placementCases.mjs';

const bar = { onePodMs: 20 };
const minuteMs = 60_000;
const spotSettings = {
  ...{ onDemandFloor: { count: 0 }, overProvision: 'auto', fallback: true, spread: 'zone' },
  ...{ startMs: 2 * minuteMs, shortfallTarget: 0.003 },
};

/** Printed beside the bar for placement alone, and not counted: processor time, which other work on the machine changes little. */
export function measureFleetSteps(offerings) {
  console.log('\none more pod, 1,000 nodes, fleet step    median CPU ms  worst CPU ms  × the bar');
  const spot = offerings.map((offering) => ({
    ...{ ...offering, id: `${offering.id}/spot`, capacityType: 'spot' },
    pricePerHourMicro: Math.round(0.3 * offering.pricePerHourMicro),
  }));
  const cases = [
    ['with room on one of them', offerings, 0.9, null],
    ['with none: a node is bought', offerings, 7, null],
    ['spot hedged, with room on one of them', [...offerings, ...spot], 0.9, spotSettings],
    ['spot hedged, with none: a node is bought', [...offerings, ...spot], 7, spotSettings],
  ];
  for (const [what, sold, cores, hedge] of cases) {
    const fleet = fleetOf(sold, hedge);
    const measured = [];
    for (let i = 0; i < 45; i++) {
      const pod = { ...waiting(`more-${i}`, cores), bound: null };
      const observation = {
        ...fleet.observation,
        nowMs: fleet.observation.nowMs + 1000,
        pods: [...fleet.observation.pods, pod],
      };
      const before = process.cpuUsage();
      const { decision } = fleetStep(fleet.spec, fleet.memory, observation, null);
      const { user, system } = process.cpuUsage(before);
      measured.push((user + system) / 1000);
      if (!decision.actions.some((action) => action.type === 'bind' && action.pod === pod.pod.id)) {
        throw new Error('the pod has no place');
      }
    }
    // The first are made while the code is still being compiled.
    const sorted = measured.slice(15).toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    const cells = [
      median.toFixed(1).padStart(10),
      sorted.at(-1).toFixed(1).padStart(13),
      (median / bar.onePodMs).toFixed(2).padStart(10),
    ];
    console.log(`  ${what.padEnd(42)} ${cells.join(' ')}`);
  }
}

function waiting(id, cores) {
  return {
    pod: { ...podOf(id, cores, 0.5, 0), interruptible: true },
    isLeaving: false,
    loadMs: 20_000,
    inFlight: 0,
    doNotDisrupt: false,
  };
}

/** A thousand ready nodes of the first offering or, hedged, of the first on spot, with a pod of 1 processor on each; most are full but for 0.5. */
function fleetOf(sold, spot) {
  const input = inputOf({ pods: [], offerings: sold });
  const [pool] = input.pools;
  const offering = sold.find(({ capacityType }) => capacityType === (spot ? 'spot' : 'on-demand'));
  const nowMs = 100 * minuteMs;
  const nodes = Array.from({ length: 1000 }, (_, i) => ({
    ...{
      id: `n-${i}`,
      pool: pool.name,
      offering,
      revision: '1',
      phase: 'ready',
      askedAtMs: 0,
      acceptedAtMs: 0,
      isSeen: true,
    },
    ...{ readyAtMs: 0, quietSinceMs: nowMs, podsKey: '', replaces: [], going: null, notice: null, attempts: 0 },
    ...{ askAgainAtMs: null, doNotDisrupt: false },
  }));
  const pods = nodes.map(({ id }, i) => {
    const one = waiting(`pod-${i}`, i % 100 === 0 ? 0.25 : 1);
    return { ...one, bound: { node: id, place: { id: one.pod.id, gpus: [], instances: [] } } };
  });
  const machines = nodes.map(({ id }) => ({
    ...{
      id,
      pool: pool.name,
      providerId: `i-${id}`,
      cluster: 'local',
      phase: 'ready',
      notice: null,
      askedAtMs: 0,
      readyAtMs: 0,
    },
    offering: {
      ...{ cloud: offering.instanceType.cloud, region: offering.region, zone: offering.zone },
      ...{ instanceType: offering.instanceType.name, capacityType: offering.capacityType },
    },
    ...{ message: '', failure: null },
  }));
  const rules = {
    ...{ policy: 'WhenEmptyOrUnderutilized', delayMs: 10 * minuteMs, delayAfterScaleUpMs: 0, utilizationBelow: null },
    ...{ gpuUtilizationBelow: null, budgets: [], minNodes: 0, warmSpares: 0, isSurgeAllowed: true },
  };
  const spec = {
    cluster: 'local',
    pools: [
      {
        consolidation: { pool: { ...pool, startMs: minuteMs }, ...rules },
        ...{ revision: '1', startTimeoutMs: 10 * minuteMs, expireAfterMs: null, terminationGraceMs: null, weight: 0 },
        ...{ repairAfterMs: 10 * minuteMs, spot },
      },
    ],
    settings: input.settings,
    gain: { minPerHourMicro: 10_000, minShare: 0.02, paybackMs: 60 * minuteMs },
    ...{ idPrefix: 'local-1-', knownIdPrefixes: ['local-', 'n-'], seed: 1, workUnits: 200, consolidateEveryMs: 10_000 },
    ...{ nameOrphansAfterMs: 2 * minuteMs, endOrphansAfterMs: null, isRemoved: false, declaredPods: [] },
  };
  const empty = {
    ...{ version: 1, nodes, backedOff: [], nextNumber: 1, losses: [], orphans: [], consolidatedAtMs: null },
    ...{ consolidated: null, unplaced: null, largest: [], staleIdPrefix: null },
    provider: { isAway: false, sinceMs: 0, isSeen: true },
  };
  const observation = { nowMs, machines, outcomes: [], pods };
  // Once without a pod that waits: what the step remembers of its last search, and of its hedge, is there.
  let { memory } = fleetStep(spec, empty, observation, null);
  const bought = memory.nodes
    .slice(1000)
    .map((node) => ({ ...node, phase: 'ready', isSeen: true, acceptedAtMs: nowMs, readyAtMs: nowMs }));
  memory = { ...memory, nodes: [...memory.nodes.slice(0, 1000), ...bought] };
  const shown = bought.map((node) => ({
    ...machines[0],
    id: node.id,
    providerId: `i-${node.id}`,
    offering: offeringOf(node),
  }));
  const all = { ...observation, machines: [...machines, ...shown] };
  ({ memory } = fleetStep(spec, memory, { ...all, nowMs: nowMs + 500 }, null));
  return { spec, memory, observation: { ...all, nowMs: nowMs + 500 } };
}

function offeringOf({ offering: { instanceType, region, zone, capacityType } }) {
  return { cloud: instanceType.cloud, region, zone, instanceType: instanceType.name, capacityType };
}
