import type { ApiObject } from '@ebb/client';
import {
  type ClusterSpec,
  type KindName,
  type NodePoolSpec,
  resolveCluster,
  resolveNodePool,
  type ScaledJobStatus,
  type ScaledObjectStatus,
  type WorkloadStatus,
} from '@ebb/documents';
import { ageText, microsecondsText, moneyText, onTimeText } from './text/format.ts';
import { coldStartStages } from './live/coldStartText.ts';
import type { Column } from './text/table.ts';

export interface ColumnOptions {
  wide: boolean;
  namespaces: boolean;
  nowMs: number;
}

/** The columns of `ebb get` for a kind. A cell without a value is `-`. */
export function objectColumns(kind: KindName, options: ColumnOptions): Column<ApiObject>[] {
  const age: Column<ApiObject> = {
    title: 'age',
    value: ({ metadata }) => ageText(options.nowMs - Date.parse(metadata.creationTimestamp)),
  };
  return [
    ...(options.namespaces ? [{ title: 'namespace', value: (object: ApiObject) => object.metadata.namespace }] : []),
    { title: 'name', value: ({ metadata }) => metadata.name },
    ...(kind === 'Workload' ? workloadColumns(options.wide) : []),
    ...(kind === 'ScaledObject' ? scaledObjectColumns() : []),
    ...(kind === 'ScaledJob' ? jobColumns() : []),
    ...(kind === 'Cluster' ? clusterColumns() : []),
    ...(kind === 'NodePool' ? nodePoolColumns() : []),
    { title: 'generation', align: 'right', value: ({ metadata }) => String(metadata.generation) },
    age,
    ...(kind === 'Workload' ? [ofStatus('url', 'left', (status) => status.url ?? '-')] : []),
  ];
}

function column(title: string, value: (object: ApiObject) => string): Column<ApiObject> {
  return { title, value };
}

function clusterColumns(): Column<ApiObject>[] {
  const of = (read: (spec: ClusterSpec) => string) => (object: ApiObject) => read(resolveCluster(asDocument(object)));
  return [
    column(
      'type',
      of(({ type }) => type),
    ),
    column(
      'cloud',
      of(({ cloud }) => cloud),
    ),
    column(
      'region',
      of(({ region }) => region ?? '-'),
    ),
  ];
}

function nodePoolColumns(): Column<ApiObject>[] {
  const of = (read: (spec: NodePoolSpec) => string) => (object: ApiObject) => read(resolveNodePool(asDocument(object)));
  return [
    column(
      'cluster',
      of(({ key }) => key.cluster),
    ),
    column(
      'min-max',
      of(({ minNodes, maxNodes }) => `${minNodes}-${maxNodes ?? ''}`),
    ),
    column(
      'spares',
      of(({ warmSpares }) => String(warmSpares)),
    ),
    column(
      'weight',
      of(({ weight }) => String(weight)),
    ),
    column(
      'capacity',
      of(({ capacityTypes }) => capacityTypes.join(',')),
    ),
    column(
      'machines',
      of(({ instanceTypes }) => machinesText(instanceTypes)),
    ),
  ];
}

function machinesText(instanceTypes: readonly string[]): string {
  const [first, second, ...rest] = instanceTypes;
  if (first === undefined) return 'any';
  return [first, ...(second === undefined ? [] : [second]), ...(rest.length > 0 ? [`+${rest.length}`] : [])].join(',');
}

/** What was written, out of what the API gives. */
export function asDocument({ apiVersion, kind, metadata, spec }: ApiObject): unknown {
  return { apiVersion, kind, metadata, spec };
}

function ofStatus(
  title: string,
  align: 'left' | 'right',
  value: (status: WorkloadStatus) => string,
): Column<ApiObject> {
  return { title, align, value: ({ status }) => (status && 'replicaList' in status ? value(status) : '-') };
}

/** As `kubectl get scaledobjects` shows them. */
function scaledObjectColumns(): Column<ApiObject>[] {
  const of = (title: string, value: (status: ScaledObjectStatus) => string): Column<ApiObject> => ({
    title,
    value: ({ status }) => (status && 'hpaName' in status ? value(status) : '-'),
  });
  const condition = (type: string) => (status: ScaledObjectStatus) =>
    status.conditions.find((one) => one.type === type)?.status ?? '-';
  return [
    of('target', ({ target }) => target),
    of('min-max', ({ minReplicas, maxReplicas }) => `${minReplicas}-${maxReplicas}`),
    of('wanted', ({ replicas }) => (replicas === null ? '-' : String(replicas))),
    of('ready', condition('Ready')),
    of('active', condition('Active')),
    of('fallback', condition('Fallback')),
    of('paused', condition('Paused')),
    of('triggers', ({ triggers }) => [...new Set(triggers.map(({ type }) => type))].join(',')),
  ];
}

function jobColumns(): Column<ApiObject>[] {
  const ofJobs = (title: string, value: (status: ScaledJobStatus) => string): Column<ApiObject> => ({
    title,
    align: 'right',
    value: ({ status }) => (status && 'jobList' in status ? value(status) : '-'),
  });
  return [
    ofJobs('running', ({ jobs, maxReplicas }) => `${jobs.running}/${maxReplicas}`),
    ofJobs('waiting', ({ jobs }) => String(jobs.waiting)),
    ofJobs('succeeded', ({ jobs }) => String(jobs.succeeded)),
    ofJobs('failed', ({ jobs }) => String(jobs.failed)),
    ofJobs('ready', ({ conditions }) => conditions.find(({ type }) => type === 'Ready')?.status ?? '-'),
  ];
}

function workloadColumns(wide: boolean): Column<ApiObject>[] {
  return [
    ofStatus('ready', 'right', ({ replicas }) => `${replicas.ready}/${replicas.wanted}`),
    ofStatus('min-max', 'right', ({ minReplicas, maxReplicas }) => `${minReplicas}-${maxReplicas}`),
    ofStatus('in flight', 'right', ({ inFlight }) => String(inFlight)),
    ofStatus('held', 'right', ({ held }) => String(held)),
    ofStatus('requests', 'right', ({ requests }) => String(requests.total)),
    ...(wide
      ? [
          ofStatus('failed', 'right', ({ requests }) => String(requests.failed)),
          ofStatus('refused', 'right', ({ requests }) => String(requests.refused)),
          ofStatus('on time', 'right', ({ onTime }) => onTimeText(onTime) ?? '-'),
          ofStatus('starts', 'right', ({ coldStarts }) => String(coldStarts.count)),
          ofStatus('last start', 'right', lastStart),
          ofStatus('hint', 'left', ({ classHint }) => classHint?.class ?? '-'),
          ofStatus('sized', 'left', ({ sized }) => Object.keys(sized ?? {}).join(',') || '-'),
          ofStatus('cost', 'right', ({ cost }) => moneyText(cost.soFarMicro, cost.currency)),
        ]
      : []),
    ofStatus('cost/h', 'right', ({ cost }) => moneyText(cost.ratePerHourMicro, cost.currency)),
  ];
}

function lastStart({ coldStarts }: WorkloadStatus): string {
  const totalUs = coldStarts.last === null ? null : coldStartStages(coldStarts.last).totalUs;
  return totalUs === null ? '-' : microsecondsText(totalUs);
}
