import type { FleetStatus, WorkloadStatus } from '@ebb/documents';
import type { ApiContext } from './context.ts';
import { systemStatus } from './systemStatus.ts';

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

interface Family {
  name: string;
  type: 'gauge' | 'counter';
  help: string;
  samples: (workload: WorkloadStatus) => { labels?: Record<string, string>; value: number }[];
}

/** One line a family. Names and units after the Prometheus conventions. */
const families: Family[] = [
  {
    name: 'ebb_replicas',
    type: 'gauge',
    help: 'Replicas by class and state; wanted is what was granted.',
    samples: ({ classes }) =>
      Object.entries(classes).flatMap(([name, counts]) =>
        Object.entries(counts).map(([state, value]) => ({ labels: { class: name, state }, value })),
      ),
  },
  {
    name: 'ebb_requests_total',
    type: 'counter',
    help: 'Requests by how they ended; held counts those that waited.',
    samples: ({ requests }) => {
      const { total: _, ...outcomes } = requests;
      return Object.entries(outcomes).map(([outcome, value]) => ({ labels: { outcome }, value }));
    },
  },
  {
    name: 'ebb_requests_arrived_total',
    type: 'counter',
    help: 'Requests that arrived.',
    samples: ({ requests }) => [{ value: requests.total }],
  },
  {
    name: 'ebb_requests_in_flight',
    type: 'gauge',
    help: 'Requests on replicas.',
    samples: ({ inFlight }) => [{ value: inFlight }],
  },
  {
    name: 'ebb_requests_held',
    type: 'gauge',
    help: 'Requests that the gateway holds.',
    samples: ({ held }) => [{ value: held }],
  },
  {
    name: 'ebb_oldest_held_seconds',
    type: 'gauge',
    help: 'Age of the oldest held request.',
    samples: ({ oldestHeldMs }) => [{ value: (oldestHeldMs ?? 0) / 1000 }],
  },
  {
    name: 'ebb_cold_starts_total',
    type: 'counter',
    help: 'Replicas that began to take requests.',
    samples: ({ coldStarts }) => [{ value: coldStarts.count }],
  },
  {
    name: 'ebb_replica_seconds_total',
    type: 'counter',
    help: 'Time that replicas ran.',
    samples: ({ cost }) => [{ value: cost.replicaSeconds }],
  },
  {
    name: 'ebb_cost_total',
    type: 'counter',
    help: 'Price of what ran, in units of the currency.',
    samples: ({ cost }) => [{ labels: { currency: cost.currency }, value: Number(cost.soFarMicro) / 1e6 }],
  },
  {
    name: 'ebb_cost_per_hour',
    type: 'gauge',
    help: 'Price of what runs, in units of the currency an hour.',
    samples: ({ cost }) => [{ labels: { currency: cost.currency }, value: cost.ratePerHourMicro / 1e6 }],
  },
  {
    name: 'ebb_workload_generation',
    type: 'gauge',
    help: 'Generation of the document that the engine acts on.',
    samples: ({ observedGeneration }) => [{ value: observedGeneration }],
  },
];

/** Of the clusters whose machines are rented. */
const fleetFamilies: { name: string; help: string; samples: (fleet: FleetStatus) => Sample[] }[] = [
  {
    name: 'ebb_nodes',
    help: 'Machines by cluster, pool, machine, way of renting and phase.',
    samples: ({ cluster, nodes }) => {
      const counts = new Map<string, Sample>();
      for (const { pool, instanceType, capacityType, phase } of nodes) {
        const labels = { cluster, pool, machine: instanceType, capacity: capacityType, phase };
        const name = labelText({ labels });
        counts.set(name, { labels, value: (counts.get(name)?.value ?? 0) + 1 });
      }
      return [...counts.values()];
    },
  },
  {
    name: 'ebb_nodes_cost_per_hour',
    help: 'Price of all machines of a cluster, in units of the currency an hour.',
    samples: ({ cluster, currency, pricePerHourMicro }) => [
      { labels: { cluster, currency }, value: pricePerHourMicro / 1e6 },
    ],
  },
  {
    name: 'ebb_nodes_least_cost_per_hour',
    help: 'Least that the replicas on them could cost, as far as it is known.',
    samples: ({ cluster, currency, lowerBoundMicro }) =>
      lowerBoundMicro === null ? [] : [{ labels: { cluster, currency }, value: lowerBoundMicro / 1e6 }],
  },
  {
    name: 'ebb_replicas_without_node',
    help: 'Replicas that wait for a place on a machine.',
    samples: ({ cluster, waiting }) => [{ labels: { cluster }, value: waiting }],
  },
];

/** The Prometheus text format, 0.0.4. */
export function metricsText(context: ApiContext): string {
  const status = systemStatus(context);
  const lines = [
    ...processLines(status),
    ...familyLines('ebb_process_connected', 'gauge', 'Whether the process beside the control plane is connected.', [
      { labels: { process: 'gateway' }, value: Number(status.gateway.connected) },
      { labels: { process: 'agent' }, value: Number(status.agent.connected) },
    ]),
    ...engineLines(status.workloads, context.engine.fleets()),
  ];
  return `${lines.join('\n')}\n`;
}

/** Of the process itself. */
export function processLines({ version, startedAt }: { version: string; startedAt: number }): string[] {
  return [
    ...familyLines('ebb_info', 'gauge', 'Version of Ebb.', [{ labels: { version }, value: 1 }]),
    ...familyLines('ebb_start_time_seconds', 'gauge', 'When the control plane started.', [
      { labels: {}, value: startedAt / 1000 },
    ]),
  ];
}

/** Of what an engine has in its charge. */
export function engineLines(workloads: readonly WorkloadStatus[], fleets: readonly FleetStatus[]): string[] {
  const lines: string[] = [];
  for (const { name, type, help, samples } of families) {
    const all = workloads.flatMap((workload) => {
      const key = { cluster: workload.cluster, namespace: workload.namespace, workload: workload.name };
      return samples(workload).map(({ labels, value }): Sample => ({ labels: { ...key, ...labels }, value }));
    });
    lines.push(...familyLines(name, type, help, all));
  }
  for (const { name, help, samples } of fleetFamilies) {
    lines.push(...familyLines(name, 'gauge', help, fleets.flatMap(samples)));
  }
  return lines;
}

/** A family of the text format. */
export function familyLines(name: string, type: Family['type'], help: string, samples: Sample[]): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map((sample) => `${name}${labelText(sample)} ${sample.value}`),
  ];
}

function labelText({ labels }: Pick<Sample, 'labels'>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escapeCharacter)}"`,
  );
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}

function escapeCharacter(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`;
}
