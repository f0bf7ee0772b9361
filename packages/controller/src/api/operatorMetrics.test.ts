import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { yamlValues } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { leadingMetrics } from './operatorMetrics.fixture.ts';
import { operatorMetricsText } from './operatorMetrics.ts';

const manifests = fileURLToPath(new URL('../../../../manifests/', import.meta.url));
const dashboard: unknown = JSON.parse(readFileSync(`${manifests}grafana/ebb.json`, 'utf8'));
const rules = yamlValues(readFileSync(`${manifests}prometheus/rules.yaml`, 'utf8'));

describe('metrics of an operator', () => {
  it('tell triggers by the names of KEDA', async () => {
    const text = operatorMetricsText(await leadingMetrics());
    const labels = (metric: string, index: number) =>
      `namespace="default",metric="${metric}",scaledObject="a-scaler",scaler="redis",triggerIndex="${index}",type="scaledobject"`;
    expect(text).toContain(`keda_scaler_metrics_value{${labels('s0-redis-jobs', 0)}} 25\n`);
    expect(text).toContain(`keda_scaler_active{${labels('s0-redis-jobs', 0)}} 1\n`);
    expect(text).toContain(`ebb_trigger_failing{${labels('s1-redis-\\"more\\"', 1)}} 1\n`);
    expect(text).not.toContain('keda_scaler_metrics_value{namespace="default",metric="s1');
    expect(text).toContain('keda_resource_registered_total{type="scaled_object"} 1\n');
    expect(text).toContain('keda_trigger_registered_total{type="redis"} 2\n');
    expect(text).toContain('ebb_leader 1\n');
    expect(text).toMatch(/ebb_workload_condition\{[^}]*workload="a",condition="\w+"\} (1|0|-1)\n/);
  });

  it('tell nothing of workloads where another one decides', () => {
    const text = operatorMetricsText({ version: '1', startedAt: 0, engine: null });
    expect(text).toContain('ebb_leader 0\n');
    expect(text).not.toContain('workload="');
  });

  it('tell which way requests of Services go, where their endpoints are kept', async () => {
    const services = [
      { namespace: 'shop', service: 'front', workload: 'llm', isDirect: true },
      { namespace: 'shop', service: 'other', workload: 'other', isDirect: false },
    ];
    const text = operatorMetricsText({ ...(await leadingMetrics()), services });
    expect(text).toContain('ebb_service_out_of_path{namespace="shop",service="front",workload="llm"} 1\n');
    expect(text).toContain('ebb_service_out_of_path{namespace="shop",service="other",workload="other"} 0\n');
    expect(operatorMetricsText(await leadingMetrics())).not.toContain('ebb_service_out_of_path');
  });

  it('are all that the dashboard and the alerts ask for', async () => {
    const served = new Set(
      [...operatorMetricsText(await leadingMetrics()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
    );
    const asked = expressionsIn([dashboard, rules]).flatMap((text) => text.match(/\b(?:ebb|keda)_\w+/g) ?? []);
    expect(new Set(asked).size).toBeGreaterThan(10);
    expect([...new Set(asked)].filter((name) => !served.has(name))).toEqual([]);
  });
});

/** Every query in it. */
function expressionsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(expressionsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, it]) =>
    typeof it === 'string' && ['expr', 'query', 'definition'].includes(name) ? [it] : expressionsIn(it),
  );
}
