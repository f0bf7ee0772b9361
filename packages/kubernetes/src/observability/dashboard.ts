interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type: 'timeseries' | 'stat' | 'table';
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of the twenty-four columns. */
  readonly width: number;
}

const chosen = 'namespace=~"$namespace",workload=~"$workload"';
const by = (metric: string, labels: string, more = '') => `sum by (${labels}) (${metric}{${chosen}${more}})`;

const panels: readonly Panel[] = [
  {
    title: 'Operators that decide',
    description: 'One, or one for each tenant.',
    type: 'stat',
    unit: 'short',
    width: 4,
    queries: [{ expr: 'sum(ebb_leader)', legend: 'leaders' }],
  },
  {
    title: 'ScaledObjects and ScaledJobs',
    description: "KEDA's objects that are followed.",
    type: 'stat',
    unit: 'short',
    width: 4,
    queries: [{ expr: 'sum by (type) (keda_resource_registered_total)', legend: '{{type}}' }],
  },
  {
    title: 'Triggers that cannot be read',
    description: 'None is well.',
    type: 'stat',
    unit: 'short',
    width: 4,
    queries: [{ expr: 'sum(ebb_trigger_failing)', legend: 'failing' }],
  },
  {
    title: 'Workloads with a problem',
    description: 'Their condition Available is false.',
    type: 'stat',
    unit: 'short',
    width: 4,
    queries: [
      { expr: 'count(ebb_workload_condition{condition="Available"} == 0) or vector(0)', legend: 'not available' },
    ],
  },
  {
    title: 'Cost an hour',
    description: 'Of what runs now, as far as prices are known.',
    type: 'stat',
    unit: 'short',
    width: 4,
    queries: [{ expr: `sum by (currency) (ebb_cost_per_hour{${chosen}})`, legend: '{{currency}}' }],
  },
  {
    title: 'Version',
    description: 'Of each operator.',
    type: 'stat',
    unit: 'short',
    width: 4,
    queries: [{ expr: 'count by (version) (ebb_info)', legend: '{{version}}' }],
  },
  {
    title: 'Replicas wanted and ready',
    description: 'Wanted is what was granted.',
    type: 'timeseries',
    unit: 'short',
    width: 12,
    queries: [
      {
        expr: by('ebb_replicas', 'namespace, workload', ',state="wanted"'),
        legend: '{{namespace}}/{{workload}} wanted',
      },
      { expr: by('ebb_replicas', 'namespace, workload', ',state="ready"'), legend: '{{namespace}}/{{workload}} ready' },
    ],
  },
  {
    title: 'Values of triggers',
    description: "By KEDA's own name of the metric.",
    type: 'timeseries',
    unit: 'short',
    width: 12,
    queries: [
      {
        expr: 'max by (namespace, scaledObject, metric) (keda_scaler_metrics_value{namespace=~"$namespace"})',
        legend: '{{namespace}}/{{scaledObject}} {{metric}}',
      },
    ],
  },
  {
    title: 'Triggers that keep from zero',
    description: '1 while a trigger is active.',
    type: 'timeseries',
    unit: 'short',
    width: 12,
    queries: [
      {
        expr: 'max by (namespace, scaledObject, metric) (keda_scaler_active{namespace=~"$namespace"})',
        legend: '{{namespace}}/{{scaledObject}} {{metric}}',
      },
    ],
  },
  {
    title: 'Cold starts a minute',
    description: 'Replicas that began to take requests.',
    type: 'timeseries',
    unit: 'short',
    width: 12,
    queries: [
      {
        expr: `60 * sum by (namespace, workload) (rate(ebb_cold_starts_total{${chosen}}[$__rate_interval]))`,
        legend: '{{namespace}}/{{workload}}',
      },
    ],
  },
  {
    title: 'Requests a second',
    description: 'By how they ended.',
    type: 'timeseries',
    unit: 'reqps',
    width: 12,
    queries: [
      {
        expr: `sum by (outcome) (rate(ebb_requests_total{${chosen}}[$__rate_interval]))`,
        legend: '{{outcome}}',
      },
    ],
  },
  {
    title: 'Oldest request that waits',
    description: 'At the gateway, for a replica.',
    type: 'timeseries',
    unit: 's',
    width: 12,
    queries: [
      {
        expr: `max by (namespace, workload) (ebb_oldest_held_seconds{${chosen}})`,
        legend: '{{namespace}}/{{workload}}',
      },
    ],
  },
  {
    title: 'Machines',
    description: 'Of clusters whose machines are rented, and replicas that wait for one.',
    type: 'timeseries',
    unit: 'short',
    width: 12,
    queries: [
      { expr: 'sum by (pool, capacity) (ebb_nodes)', legend: '{{pool}} {{capacity}}' },
      { expr: 'sum by (cluster) (ebb_replicas_without_node)', legend: '{{cluster}} without a machine' },
    ],
  },
  {
    title: 'Cost of machines beside the least',
    description: 'An hour; the least that the replicas on them could cost, as far as it is known.',
    type: 'timeseries',
    unit: 'short',
    width: 12,
    queries: [
      { expr: 'sum by (cluster, currency) (ebb_nodes_cost_per_hour)', legend: '{{cluster}} {{currency}}' },
      { expr: 'sum by (cluster, currency) (ebb_nodes_least_cost_per_hour)', legend: '{{cluster}} least' },
    ],
  },
];

const datasource = { type: 'prometheus', uid: '${datasource}' };
const columns = 24;

/** A dashboard for Grafana, for an Ebb in a cluster. The data source is chosen on it. */
export function dashboard(): object {
  let [x, y] = [0, 0];
  const laidOut = panels.map(({ title, description, type, unit, queries, width }, index) => {
    const height = type === 'stat' ? 4 : 8;
    if (x + width > columns) [x, y] = [0, y + (panels[index - 1]?.type === 'stat' ? 4 : 8)];
    const gridPos = { x, y, w: width, h: height };
    x += width;
    return {
      id: index + 1,
      title,
      description,
      type,
      datasource,
      gridPos,
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: queries.map(({ expr, legend }, at) => ({
        refId: String.fromCharCode(65 + at),
        datasource,
        expr,
        legendFormat: legend,
        ...(type === 'stat' ? { instant: true } : {}),
      })),
    };
  });
  return {
    uid: 'ebb-cluster',
    title: 'Ebb',
    description: 'What Ebb decides in a cluster, by what, and what it costs.',
    tags: ['ebb', 'autoscaling'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' },
        variable('namespace', 'label_values(ebb_replicas, namespace)'),
        variable('workload', 'label_values(ebb_replicas{namespace=~"$namespace"}, workload)'),
      ],
    },
    panels: laidOut,
  };
}

function variable(name: string, query: string): object {
  return {
    name,
    type: 'query',
    datasource,
    query: { query, refId: name },
    definition: query,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
    refresh: 2,
    sort: 1,
  };
}
