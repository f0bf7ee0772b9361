import { textFlag } from './flags.ts';

/** Where a load is asked for instead of read. */
export interface PrometheusFlags {
  prometheus?: string;
  query?: string;
  since?: string;
  step?: string;
}

export const prometheusFlags = {
  prometheus: textFlag('URL', 'Root of a Prometheus, in place of --trace; bearer token: $EBB_PROMETHEUS_TOKEN'),
  query: textFlag('QUERY', 'Gives requests a second; one workload a series'),
  since: textFlag('TIME', 'How far back Prometheus is asked (default: 7d)'),
  step: textFlag('TIME', 'Between two of its points (default: 60s)'),
} as const;
